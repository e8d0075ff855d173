// What kernels of several folders share: sixteen lanes of FP32, loaded from and stored to FP32 or BF16.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/native/CPUBlas.h>

#include <immintrin.h>

#include <cstdint>

namespace lanes {

constexpr int64_t kLanes = 16;

inline int64_t round_up(int64_t value, int64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

inline __mmask16 first_lanes(int64_t count) {
  return count >= kLanes ? 0xFFFF : static_cast<__mmask16>((1u << count) - 1);
}

inline __m512 widen(__m256i half) { // of BF16
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16));
}

inline __m512 load(const float* from, __mmask16 lanes) { return _mm512_maskz_loadu_ps(lanes, from); }
inline __m512 load(const at::BFloat16* from, __mmask16 lanes) {
  return widen(_mm256_maskz_loadu_epi16(lanes, from));
}

// FP32 rounded to BF16, to nearest even; on processors without the instruction for it by integer arithmetic.
inline __m256i narrow(__m512 value) {
#ifndef WITHOUT_AVX512_BF16
  return reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(value));
#else
  const __m512i bits = _mm512_castps_si512(value), half = _mm512_set1_epi32(0x7FFF), none = _mm512_set1_epi32(0x7FC00000);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  const __m512i rounded = _mm512_add_epi32(bits, _mm512_add_epi32(odd, half));
  const __mmask16 no_number = _mm512_cmp_ps_mask(value, value, _CMP_UNORD_Q);
  return _mm512_cvtepi32_epi16(_mm512_srli_epi32(_mm512_mask_mov_epi32(rounded, no_number, none), 16));
#endif
}

inline void store(float* to, __mmask16 lanes, __m512 value) { _mm512_mask_storeu_ps(to, lanes, value); }
inline void store(at::BFloat16* to, __mmask16 lanes, __m512 value) {
  _mm256_mask_storeu_epi16(to, lanes, narrow(value));
}

// Twice sixteen lanes, side by side.
inline void store_both(float* to, __m512 low, __m512 high) {
  _mm512_storeu_ps(to, low);
  _mm512_storeu_ps(to + kLanes, high);
}
inline void store_both(at::BFloat16* to, __m512 low, __m512 high) {
  _mm512_storeu_si512(to, _mm512_inserti64x4(_mm512_castsi256_si512(narrow(low)), narrow(high), 1));
}

// Before BF16 is multiplied: torch's brgemm needs the processor's instructions for it, and kernels made of these would end
// the process.
inline void require_bf16_instructions() {
  TORCH_CHECK(__builtin_cpu_supports("avx512bf16"), "in BF16 this kernel needs AVX512_BF16");
}

// oneDNN keeps a thread's tiles configured until it is told that they are no longer needed, also after an error.
struct ReleaseTiles {
  ~ReleaseTiles() { at::native::cpublas::brgemm_release(); }
};

} // namespace lanes
