// W8A16 on CPUs with AVX512_BF16: for a few rows of activations, as in decoding, as fast as weights can be read; for many,
// as in prefill, through oneDNN's BF16 matmul on weights that are turned back a block at a time.
//
// Weights are widened to FP32 in registers and multiplied there. A thread reads four channels that lie far apart: one
// stream does not keep enough cache lines on their way.
#include <ATen/Parallel.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <torch/library.h>

#include <immintrin.h>

#include <algorithm>
#include <vector>

namespace {

using at::BFloat16;

constexpr int64_t kStreams = 4;          // output channels that a thread works on at a time, far from each other
constexpr int64_t kStep = 64;            // weights of one channel in one step
constexpr int64_t kAhead = 1024;         // bytes that are fetched before they are needed
constexpr int64_t kRowsAtOnce = 4;       // of activations
constexpr int64_t kFewRows = 16;         // up to here the weights are multiplied as they are
constexpr int64_t kBlockBytes = 8 << 20; // of weights that are turned back at a time

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
  at::parallel_for(0, w.channels / kStreams, 16, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      for (int64_t m = 0; m < rows; m += kRowsAtOnce) { // the weights of four channels stay in the first-level cache
        const int64_t first = begin * kStreams + i - begin, apart = end - begin;
        const float* from = &wide[m * w.width];
        BFloat16* to = out + m * w.channels;
        switch (std::min(kRowsAtOnce, rows - m)) {
          case 1: multiply<1>(w, first, apart, from, to); break;
          case 2: multiply<2>(w, first, apart, from, to); break;
          case 3: multiply<3>(w, first, apart, from, to); break;
          default: multiply<kRowsAtOnce>(w, first, apart, from, to);
        }
      }
  });
}

// The weights [K] of one channel in BF16.
void turn_back(const Weights& w, int64_t channel, BFloat16* to) {
  const int8_t* from = w.values + channel * w.width;
  const __m512 scale = _mm512_set1_ps(static_cast<float>(w.scales[channel]));
  for (int64_t k = 0; k < w.width; k += 32) {
    const __m512 low = _mm512_mul_ps(widen(from + k), scale), high = _mm512_mul_ps(widen(from + k + 16), scale);
    _mm512_storeu_si512(to + k, reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high, low)));
  }
}

void multiply_many(const Weights& w, const at::Tensor& x, at::Tensor& out) {
  const int64_t most = std::min(std::max<int64_t>(64, kBlockBytes / (2 * w.width)), w.channels);
  const at::Tensor block = at::empty({most, w.width}, x.options());
  auto* to = block.data_ptr<BFloat16>();
  for (int64_t from = 0; from < w.channels; from += most) {
    const int64_t channels = std::min(most, w.channels - from);
    at::parallel_for(0, channels, 32, [&](int64_t begin, int64_t end) {
      for (int64_t c = begin; c < end; ++c) turn_back(w, from + c, to + c * w.width);
    });
    out.narrow(1, from, channels).copy_(at::mm(x, block.narrow(0, 0, channels).t()));
  }
}

// x: bf16 [M, K]; values: int8 [N, K]; scales: bf16 [N]. Gives bf16 [M, N].
at::Tensor linear(const at::Tensor& x, const at::Tensor& values, const at::Tensor& scales) {
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
    multiply_many(w, x, out);
  return out;
}

} // namespace

TORCH_LIBRARY_FRAGMENT(xeonperf, library) {
  library.def("woq_int8(Tensor x, Tensor values, Tensor scales) -> Tensor");
}
TORCH_LIBRARY_IMPL(xeonperf, CPU, library) { library.impl("woq_int8", &linear); }
