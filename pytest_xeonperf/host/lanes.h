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

inline void store(float* to, __mmask16 lanes, __m512 value) { _mm512_mask_storeu_ps(to, lanes, value); }
inline void store(at::BFloat16* to, __mmask16 lanes, __m512 value) {
  _mm256_mask_storeu_epi16(to, lanes, reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(value)));
}

// Twice sixteen lanes, side by side.
inline void store_both(float* to, __m512 low, __m512 high) {
  _mm512_storeu_ps(to, low);
  _mm512_storeu_ps(to + kLanes, high);
}
inline void store_both(at::BFloat16* to, __m512 low, __m512 high) {
  _mm512_storeu_si512(to, reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high, low)));
}

// Before anything in BF16: the processor would end the process at the first instruction that it does not know.
inline void require_bf16_instructions() {
  TORCH_CHECK(__builtin_cpu_supports("avx512bf16"), "in BF16 this kernel needs AVX512_BF16");
}

// oneDNN keeps a thread's tiles configured until it is told that they are no longer needed, also after an error.
struct ReleaseTiles {
  ~ReleaseTiles() { at::native::cpublas::brgemm_release(); }
};

} // namespace lanes
