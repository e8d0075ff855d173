// What kernels that multiply bytes with bytes share: activations brought to bytes, and how weights are packed.
//
// Activations are unsigned bytes around a zero of 128, as the processor multiplies them with signed weights. What the
// zero adds to a sum is taken off again with the sums of the weights.
#pragma once

#include "lanes.h"

#include <sys/mman.h>

#include <limits>

namespace bytes {

using namespace lanes;

constexpr int64_t kColumns = 64;  // output channels of a block of weights, and what widths are filled up to
constexpr int64_t kUnit = 4;      // weights of a channel that are summed at once
constexpr float kMost = 127.0f;
constexpr int32_t kZero = 128;

// A row [width] in bytes; gives the step between two of them, which is no number where one of the row's is not finite.
template <typename T> float quantise(const T* from, int64_t width, uint8_t* to) {
  __m512 most = _mm512_setzero_ps();
  __mmask16 finite = 0xFFFF;
  for (int64_t k = 0; k < width; k += kLanes) {
    const __m512 x = _mm512_abs_ps(load(from + k, first_lanes(width - k)));
    most = _mm512_max_ps(most, x);
    finite &= _mm512_cmp_ps_mask(x, _mm512_set1_ps(std::numeric_limits<float>::max()), _CMP_LE_OQ);
  }
  const float largest = _mm512_reduce_max_ps(most);
  const __m512 inverse = _mm512_set1_ps(largest > 0.0f ? kMost / largest : 0.0f);
  for (int64_t k = 0; k < width; k += kLanes) {
    const __m512i whole = _mm512_cvtps_epi32(_mm512_mul_ps(load(from + k, first_lanes(width - k)), inverse));
    const __m512i above_zero = _mm512_max_epi32(_mm512_add_epi32(whole, _mm512_set1_epi32(kZero)), _mm512_setzero_si512());
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + k), _mm512_cvtusepi32_epi8(above_zero));
  }
  return finite == 0xFFFF ? largest / kMost : std::numeric_limits<float>::quiet_NaN();
}

// Whether weights are packed in blocks of channels (K: inputs, of all taps of a convolution), and scales are of the dtype of
// activations, FP32 or BF16.
inline void check_weights(const at::Tensor& packed, const at::Tensor& scales, at::ScalarType dtype) {
  TORCH_CHECK(packed.dim() == 3 && packed.scalar_type() == at::kChar && packed.is_contiguous() &&
                  packed.size(2) == kColumns * kUnit, "packed: int8 [N / 64, K / 4, 64 * 4]");
  TORCH_CHECK(scales.dim() == 1 && scales.scalar_type() == dtype && scales.is_contiguous(), "scales: [N], as x");
}

// Asks for large pages below a result that nobody has written to yet: each page of 4 KiB would cost a fault, and so much
// memory comes fresh from the system every time. Where there are none nothing changes.
inline void on_large_pages(const at::Tensor& fresh) {
  constexpr uintptr_t kPage = uintptr_t{1} << 21, kLeast = uintptr_t{32} << 20;
  const auto begin = reinterpret_cast<uintptr_t>(fresh.data_ptr()), end = begin + fresh.nbytes();
  const uintptr_t first = (begin + kPage - 1) / kPage * kPage, last = end / kPage * kPage;
  if (end - begin >= kLeast) madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
}

} // namespace bytes
