// W4A16 on CPUs with AVX512_BF16: for a few rows of activations, as in decoding, as fast as weights can be read; for many,
// as in prefill, through torch's matmul, in BF16 or in FP32, on weights that are turned back a block at a time.
//
// ATen's kernel turns each weight into FP32 and is bound by that, at half of the bandwidth. Here four bits become a BF16
// number by putting them into the mantissa of 128, which is exact; products are summed in pairs in FP32 (VDPBF16PS), and
// what 128 and the middle of the range have added is taken off once for each group.
#include "lanes.h"
#include "streams.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <torch/library.h>

#include <immintrin.h>

#include <vector>

namespace {

using namespace streams;

constexpr int64_t kGroup = 128;          // weights of a channel that share a scale: 64 bytes, one step
constexpr int64_t kBytes = kGroup / 2;   // nibble j of 16-bit lane i holds weight 32 * j + i
constexpr float kOffset = 136.0f;        // 128, and 8 for the middle of the range

struct Weights {
  const uint8_t* packed;  // [N, groups, 64]
  const uint32_t* scales; // [N, groups]: zero point (lower half) and scale (upper half), both BF16
  int64_t channels, width;
  int64_t groups() const { return width / kGroup; }
};

// Weights 32 * kNibble ... of one channel and group as BF16 numbers 128 ... 143, in order.
template <int kNibble> __m512bh numbers(__m512i bytes) {
  const __m512i shifted = kNibble ? _mm512_srli_epi16(bytes, 4 * kNibble) : bytes;
  const __m512i mask = _mm512_set1_epi16(0x000F), exponent = _mm512_set1_epi16(0x4300);
  return reinterpret_cast<__m512bh>(_mm512_ternarylogic_epi32(shifted, mask, exponent, 0xEA)); // (a & b) | c
}

__m512 scale_of(uint32_t pair) {
  return _mm512_castsi512_ps(_mm512_and_si512(_mm512_set1_epi32(pair), _mm512_set1_epi32(0xFFFF0000)));
}

__m512 zero_of(uint32_t pair) { return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_set1_epi32(pair), 16)); }

__m512bh load_bf16(const BFloat16* from) { return reinterpret_cast<__m512bh>(_mm512_loadu_si512(from)); }

float sum_of(const BFloat16* x) { // of a group
  const __m512bh ones = reinterpret_cast<__m512bh>(_mm512_set1_epi16(0x3F80));
  __m512 sum = _mm512_setzero_ps();
  for (int64_t k = 0; k < kGroup; k += 32) sum = _mm512_dpbf16_ps(sum, load_bf16(x + k), ones);
  return _mm512_reduce_add_ps(sum);
}

// The channels first, first + apart, ... for kRows rows of activations, x: bf16 [kRows, K]. sums: fp32
// [kRows, groups, 16], a group's sum of activations in the first lane, else zero.
template <int kRows>
void multiply(const Weights& w, int64_t first, int64_t apart, const BFloat16* x, const float* sums, BFloat16* out) {
  const uint8_t* weights = w.packed + first * w.groups() * kBytes;
  const uint32_t* scales = w.scales + first * w.groups();
  __m512 total[kRows][kStreams] = {};
  for (int64_t g = 0; g < w.groups(); ++g, weights += kBytes, ++scales, x += kGroup) {
#pragma GCC unroll 4
    for (int c = 0; c < kStreams; ++c) {
      const uint8_t* from = weights + c * apart * w.groups() * kBytes;
      _mm_prefetch(reinterpret_cast<const char*>(from + kAhead), _MM_HINT_T0);
      const __m512i bytes = _mm512_loadu_si512(from);
      const uint32_t pair = scales[c * apart * w.groups()];
      const __m512 scale = scale_of(pair), shift = _mm512_fnmadd_ps(_mm512_set1_ps(kOffset), scale, zero_of(pair));
#pragma GCC unroll 4
      for (int m = 0; m < kRows; ++m) {
        const BFloat16* of_x = x + m * w.width;
        __m512 sum = _mm512_setzero_ps();
        sum = _mm512_dpbf16_ps(sum, numbers<0>(bytes), load_bf16(of_x));
        sum = _mm512_dpbf16_ps(sum, numbers<1>(bytes), load_bf16(of_x + 32));
        sum = _mm512_dpbf16_ps(sum, numbers<2>(bytes), load_bf16(of_x + 64));
        sum = _mm512_dpbf16_ps(sum, numbers<3>(bytes), load_bf16(of_x + 96));
        total[m][c] = _mm512_fmadd_ps(sum, scale, total[m][c]);
        total[m][c] = _mm512_fmadd_ps(_mm512_loadu_ps(sums + (m * w.groups() + g) * 16), shift, total[m][c]);
      }
    }
  }
  for (int m = 0; m < kRows; ++m)
    for (int c = 0; c < kStreams; ++c)
      out[m * w.channels + first + c * apart] = BFloat16(_mm512_reduce_add_ps(total[m][c]));
}

void multiply_few(const Weights& w, const BFloat16* x, int64_t rows, BFloat16* out) {
  std::vector<float> sums(rows * w.groups() * 16, 0.0f);
  for (int64_t i = 0; i < rows * w.groups(); ++i) sums[i * 16] = sum_of(x + i * kGroup);
  few_rows(w.channels, rows, [&]<int kRows>(int64_t first, int64_t apart, int64_t row) {
    multiply<kRows>(w, first, apart, x + row * w.width, &sums[row * w.groups() * 16], out + row * w.channels);
  });
}

// 32 weights in T from their numbers, a channel's scale, and its zero point less 136 scales.
template <typename T> void store_weights(T* to, __m512bh numbers, __m512 scale, __m512 shift) {
  const auto q = reinterpret_cast<__m512i>(numbers);
  const auto wide = [&](__m256i half) { return _mm512_fmadd_ps(lanes::widen(half), scale, shift); };
  lanes::store_both(to, wide(_mm512_castsi512_si256(q)), wide(_mm512_extracti64x4_epi64(q, 1)));
}

// The weights [K] of one channel in T.
template <typename T> void turn_back(const Weights& w, int64_t channel, T* to) {
  for (int64_t g = channel * w.groups(); g < (channel + 1) * w.groups(); ++g, to += kGroup) {
    const __m512i bytes = _mm512_loadu_si512(w.packed + g * kBytes);
    const __m512 scale = scale_of(w.scales[g]);
    const __m512 shift = _mm512_fnmadd_ps(_mm512_set1_ps(kOffset), scale, zero_of(w.scales[g]));
    store_weights(to, numbers<0>(bytes), scale, shift);
    store_weights(to + 32, numbers<1>(bytes), scale, shift);
    store_weights(to + 64, numbers<2>(bytes), scale, shift);
    store_weights(to + 96, numbers<3>(bytes), scale, shift);
  }
}

// x: bf16 [M, K]; packed: uint8 [N, K / 128, 64]; scales: int32 [N, K / 128]. Gives bf16 [M, N].
// Many rows are multiplied in FP32 where `in_fp32` says so.
at::Tensor linear(const at::Tensor& x, const at::Tensor& packed, const at::Tensor& scales, bool in_fp32) {
  const at::AutoDispatchBelowADInplaceOrView inference_only;
  TORCH_CHECK(x.dim() == 2 && x.scalar_type() == at::kBFloat16 && x.is_contiguous(), "x: bf16 [M, K], contiguous");
  TORCH_CHECK(packed.dim() == 3 && packed.scalar_type() == at::kByte && packed.is_contiguous() &&
                  packed.size(2) == kBytes && packed.size(0) % kStreams == 0, "packed: uint8 [N, K / 128, 64], N % 4 == 0");
  TORCH_CHECK(scales.dim() == 2 && scales.scalar_type() == at::kInt && scales.is_contiguous(),
              "scales: int32 [N, K / 128]");
  TORCH_CHECK(x.size(1) == packed.size(1) * kGroup && scales.size(0) == packed.size(0) &&
                  scales.size(1) == packed.size(1), "x, packed and scales are of different widths");
  const Weights w{packed.const_data_ptr<uint8_t>(), reinterpret_cast<const uint32_t*>(scales.const_data_ptr<int32_t>()),
                  packed.size(0), x.size(1)};
  at::Tensor out = at::empty({x.size(0), w.channels}, x.options());
  if (x.size(0) <= kFewRows)
    multiply_few(w, x.const_data_ptr<BFloat16>(), x.size(0), out.data_ptr<BFloat16>());
  else
    many_rows(x, out, in_fp32, [&](int64_t channel, auto* to) { turn_back(w, channel, to); });
  return out;
}

} // namespace

TORCH_LIBRARY_FRAGMENT(xeonperf, library) {
  library.def("woq_int4(Tensor x, Tensor packed, Tensor scales, bool in_fp32) -> Tensor");
}
TORCH_LIBRARY_IMPL(xeonperf, CPU, library) { library.impl("woq_int4", &linear); }
