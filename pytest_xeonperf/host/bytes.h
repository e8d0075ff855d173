// Values brought to bytes, for kernels that multiply bytes with bytes, on CPUs with AVX512_VNNI.
//
// The left operand has unsigned bytes around a zero of 128, as the processor multiplies them with the signed ones of the
// right operand. What the zero adds to a sum is taken off again with the sums of the right operand.
#pragma once

#include "lanes.h"

#include <limits>

namespace bytes {

using namespace lanes;

constexpr int64_t kUnit = 4;      // neighbours in a sum that are multiplied at once
constexpr float kMost = 127.0f;
constexpr int32_t kZero = 128;

// Before bytes are multiplied: torch's brgemm would end the process.
inline void require_byte_instructions() {
  TORCH_CHECK(__builtin_cpu_supports("avx512vnni"), "in bytes this kernel needs AVX512_VNNI");
}

// The largest magnitude that each lane has seen, and which saw finite ones alone.
struct Range {
  __m512 most = _mm512_setzero_ps();
  __mmask16 finite = 0xFFFF;

  void see(__m512 value) {
    const __m512 magnitude = _mm512_abs_ps(value);
    most = _mm512_max_ps(most, magnitude);
    finite &= _mm512_cmp_ps_mask(magnitude, _mm512_set1_ps(std::numeric_limits<float>::max()), _CMP_LE_OQ);
  }
};

// A row [width] in bytes; gives the step between two of them, which is no number where one of the row's is not finite.
template <typename T> float quantise(const T* from, int64_t width, uint8_t* to) {
  Range range;
  for (int64_t k = 0; k < width; k += kLanes) range.see(load(from + k, first_lanes(width - k)));
  const float largest = _mm512_reduce_max_ps(range.most);
  const __m512 inverse = _mm512_set1_ps(largest > 0.0f ? kMost / largest : 0.0f);
  for (int64_t k = 0; k < width; k += kLanes) {
    const __m512i whole = _mm512_cvtps_epi32(_mm512_mul_ps(load(from + k, first_lanes(width - k)), inverse));
    const __m512i above_zero = _mm512_max_epi32(_mm512_add_epi32(whole, _mm512_set1_epi32(kZero)), _mm512_setzero_si512());
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + k), _mm512_cvtusepi32_epi8(above_zero));
  }
  return range.finite == 0xFFFF ? largest / kMost : std::numeric_limits<float>::quiet_NaN();
}

} // namespace bytes
