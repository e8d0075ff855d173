// What kernels that multiply bytes with int8 weights share: how these are packed, and where large results lie.
#pragma once

#include "bytes.h"

#include <sys/mman.h>

namespace bytes {

constexpr int64_t kColumns = 64;  // output channels of a block of weights, and what widths are filled up to

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
