// BF16 weights on CPUs with AVX512_BF16, for a few rows of activations, as in decoding: as fast as weights can be read.
//
// oneDNN's and MKL's BF16 matmuls of one row read at two thirds of the bandwidth. Products are summed in pairs in FP32
// (VDPBF16PS).
#include "streams.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <torch/library.h>

#include <immintrin.h>

namespace {

using namespace streams;

constexpr int64_t kStep = 32; // weights of one channel in one step: 64 bytes

__m512bh load(const BFloat16* from) { return reinterpret_cast<__m512bh>(_mm512_loadu_si512(from)); }

// weights: bf16 [4, K], channels `apart` rows from each other; x: bf16 [kRows, K]; out: bf16 [kRows, N].
template <int kRows>
void multiply(const BFloat16* weights, int64_t apart, int64_t width, const BFloat16* x, BFloat16* out, int64_t channels) {
  __m512 sum[kRows][kStreams] = {};
  for (int64_t k = 0; k < width; k += kStep) {
#pragma GCC unroll 4
    for (int c = 0; c < kStreams; ++c) {
      const BFloat16* from = weights + c * apart * width + k;
      _mm_prefetch(reinterpret_cast<const char*>(from) + kAhead, _MM_HINT_T0);
#pragma GCC unroll 4
      for (int m = 0; m < kRows; ++m) sum[m][c] = _mm512_dpbf16_ps(sum[m][c], load(from), load(x + m * width + k));
    }
  }
  for (int m = 0; m < kRows; ++m)
    for (int c = 0; c < kStreams; ++c)
      out[m * channels + c * apart] = BFloat16(_mm512_reduce_add_ps(sum[m][c]));
}

// x: bf16 [M, K], M <= 16; weight: bf16 [N, K]. Gives bf16 [M, N].
at::Tensor linear(const at::Tensor& x, const at::Tensor& weight) {
  const at::AutoDispatchBelowADInplaceOrView inference_only;
  TORCH_CHECK(x.dim() == 2 && x.scalar_type() == at::kBFloat16 && x.is_contiguous() && x.size(0) <= kFewRows,
              "x: bf16 [M, K], contiguous, M <= 16");
  TORCH_CHECK(weight.dim() == 2 && weight.scalar_type() == at::kBFloat16 && weight.is_contiguous() &&
                  weight.size(0) % kStreams == 0 && weight.size(1) % kStep == 0,
              "weight: bf16 [N, K], N % 4 == 0, K % 32 == 0");
  TORCH_CHECK(x.size(1) == weight.size(1), "x and weight are of different widths");
  const int64_t channels = weight.size(0), width = weight.size(1);
  const auto* weights = weight.const_data_ptr<BFloat16>();
  const auto* from = x.const_data_ptr<BFloat16>();
  at::Tensor out = at::empty({x.size(0), channels}, x.options());
  auto* to = out.data_ptr<BFloat16>();
  few_rows(channels, x.size(0), [&]<int kRows>(int64_t first, int64_t apart, int64_t row) {
    multiply<kRows>(weights + first * width, apart, width, from + row * width, to + row * channels + first, channels);
  });
  return out;
}

} // namespace

TORCH_LIBRARY_FRAGMENT(xeonperf, library) { library.def("linear_bf16(Tensor x, Tensor weight) -> Tensor"); }
TORCH_LIBRARY_IMPL(xeonperf, CPU, library) { library.impl("linear_bf16", &linear); }
