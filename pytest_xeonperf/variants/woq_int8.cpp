// W8A16 on CPUs with AVX512_BF16: for a few rows of activations, as in decoding, as fast as weights can be read; for many,
// as in prefill, through torch's matmul, in BF16 or in FP32, on weights that are turned back a block at a time.
//
// Weights are widened to FP32 in registers and multiplied there.
#include "lanes.h"
#include "streams.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <torch/library.h>

#include <immintrin.h>

#include <vector>

namespace {

using namespace streams;

constexpr int64_t kStep = 64; // weights of one channel in one step

struct Weights {
  const int8_t* values;   // [N, K]
  const BFloat16* scales; // [N]
  int64_t channels, width;
};

__m512 widen(const int8_t* weights) {
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(weights))));
}

// The channels first, first + apart, ... for kRows rows of activations, x: fp32 [kRows, K].
template <int kRows>
void multiply(const Weights& w, int64_t first, int64_t apart, const float* x, BFloat16* out) {
  const int8_t* weights = w.values + first * w.width;
  __m512 sum[kRows][kStreams] = {};
  for (int64_t k = 0; k < w.width; k += kStep, weights += kStep, x += kStep) {
#pragma GCC unroll 4
    for (int c = 0; c < kStreams; ++c) {
      const int8_t* from = weights + c * apart * w.width;
      _mm_prefetch(reinterpret_cast<const char*>(from + kAhead), _MM_HINT_T0);
#pragma GCC unroll 4
      for (int part = 0; part < kStep; part += 16) {
        const __m512 value = widen(from + part);
#pragma GCC unroll 4
        for (int m = 0; m < kRows; ++m)
          sum[m][c] = _mm512_fmadd_ps(value, _mm512_loadu_ps(x + m * w.width + part), sum[m][c]);
      }
    }
  }
  for (int m = 0; m < kRows; ++m)
    for (int c = 0; c < kStreams; ++c) {
      const int64_t channel = first + c * apart;
      const float product = _mm512_reduce_add_ps(sum[m][c]);
      out[m * w.channels + channel] = BFloat16(product * static_cast<float>(w.scales[channel]));
    }
}

void multiply_few(const Weights& w, const BFloat16* x, int64_t rows, BFloat16* out) {
  const std::vector<float> wide(x, x + rows * w.width);
  few_rows(w.channels, rows, [&]<int kRows>(int64_t first, int64_t apart, int64_t row) {
    multiply<kRows>(w, first, apart, &wide[row * w.width], out + row * w.channels);
  });
}

// The weights [K] of one channel in T.
template <typename T> void turn_back(const Weights& w, int64_t channel, T* to) {
  const int8_t* from = w.values + channel * w.width;
  const __m512 scale = _mm512_set1_ps(static_cast<float>(w.scales[channel]));
  for (int64_t k = 0; k < w.width; k += 32)
    lanes::store_both(to + k, _mm512_mul_ps(widen(from + k), scale), _mm512_mul_ps(widen(from + k + 16), scale));
}

// x: bf16 [M, K]; values: int8 [N, K]; scales: bf16 [N]. Gives bf16 [M, N]. Many rows are multiplied in FP32 where
// `in_fp32` says so.
at::Tensor linear(const at::Tensor& x, const at::Tensor& values, const at::Tensor& scales, bool in_fp32) {
  const at::AutoDispatchBelowADInplaceOrView inference_only;
  TORCH_CHECK(x.dim() == 2 && x.scalar_type() == at::kBFloat16 && x.is_contiguous(), "x: bf16 [M, K], contiguous");
  TORCH_CHECK(values.dim() == 2 && values.scalar_type() == at::kChar && values.is_contiguous() &&
                  values.size(0) % kStreams == 0 && values.size(1) % kStep == 0,
              "values: int8 [N, K], N % 4 == 0, K % 64 == 0");
  TORCH_CHECK(scales.dim() == 1 && scales.scalar_type() == at::kBFloat16 && scales.is_contiguous(), "scales: bf16 [N]");
  TORCH_CHECK(x.size(1) == values.size(1) && scales.size(0) == values.size(0),
              "x, values and scales are of different widths");
  const Weights w{values.const_data_ptr<int8_t>(), scales.const_data_ptr<BFloat16>(), values.size(0), x.size(1)};
  at::Tensor out = at::empty({x.size(0), w.channels}, x.options());
  if (x.size(0) <= kFewRows)
    multiply_few(w, x.const_data_ptr<BFloat16>(), x.size(0), out.data_ptr<BFloat16>());
  else
    many_rows(x, out, in_fp32, [&](int64_t channel, auto* to) { turn_back(w, channel, to); });
  return out;
}

} // namespace

TORCH_LIBRARY_FRAGMENT(xeonperf, library) {
  library.def("woq_int8(Tensor x, Tensor values, Tensor scales, bool in_fp32) -> Tensor");
}
TORCH_LIBRARY_IMPL(xeonperf, CPU, library) { library.impl("woq_int8", &linear); }
