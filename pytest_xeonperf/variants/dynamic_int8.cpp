// W8A8 with activations quantised row by row as they come (dynamic quantisation), for CPUs with AVX512_VNNI.
//
// A block of rows is brought to bytes and multiplied with the weights through torch's brgemm, which is AMX where oneDNN
// may use it.
#include "int8_weights.h"

#include <ATen/Parallel.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include <algorithm>
#include <vector>

namespace {

using namespace bytes;
using at::BFloat16;
using at::native::cpublas::brgemm;

constexpr int64_t kRows = 256;  // of a block of activations, for which weights are read once

template <typename T> struct Call {
  const T* x;            // [rows, K]
  const int8_t* packed;  // [N / 64, K / 4, 64 * 4]
  const T* scales;       // [N]
  const int32_t* sums;   // [N], of the weights of a channel
  T* out;                // [rows, N]
  int64_t rows, channels, width;

  int64_t padded() const { return round_up(width, kColumns); }
  int64_t blocks() const { return (channels + kColumns - 1) / kColumns; }
};

// One row of sums over a block of channels, from `first` on, brought back to what it stands for.
template <typename T> void finish(const Call<T>& c, const int32_t* products, float step, int64_t first, T* to) {
  const __m512 of_row = _mm512_set1_ps(step);
  for (int64_t n = first, last = std::min(first + kColumns, c.channels); n < last; n += kLanes, products += kLanes, to += kLanes) {
    const __mmask16 lanes = first_lanes(last - n);
    const __m512i added = _mm512_mullo_epi32(_mm512_maskz_loadu_epi32(lanes, c.sums + n), _mm512_set1_epi32(kZero));
    const __m512 whole = _mm512_cvtepi32_ps(_mm512_sub_epi32(_mm512_loadu_si512(products), added));
    store(to, lanes, _mm512_mul_ps(whole, _mm512_mul_ps(of_row, load(c.scales + n, lanes))));
  }
}

// What one thread works with: a block of rows in bytes.
template <typename T> class Worker {
 public:
  Worker(const Call<T>& c, int64_t most)
      : c(c), padded(c.padded()), bytes(most * padded, kZero), products(most * kColumns), steps(most) {}

  void take(int64_t first_, int64_t count_) {
    if (first_ == first) return;
    first = first_, count = count_;
    for (int64_t m = 0; m < count; ++m) steps[m] = quantise(c.x + (first + m) * c.width, c.width, &bytes[m * padded]);
  }

  void multiply(int64_t block) {
    const int64_t channel = block * kColumns;
    brgemm(count, kColumns, padded, padded, kColumns, kColumns, false, bytes.data(), c.packed + channel * padded,
           products.data());
    for (int64_t m = 0; m < count; ++m)
      finish(c, &products[m * kColumns], steps[m], channel, c.out + (first + m) * c.channels + channel);
  }

 private:
  const Call<T>& c;
  const int64_t padded;
  int64_t first = -1, count = 0;
  std::vector<uint8_t> bytes;
  std::vector<int32_t> products;
  std::vector<float> steps;
};

// A task is a block of rows with a block of channels; a thread has those of the same rows one after the other.
template <typename T> void multiply(const Call<T>& c) {
  const int64_t most = std::min(kRows, c.rows), of_rows = (c.rows + most - 1) / most;
  at::parallel_for(0, of_rows * c.blocks(), 1, [&](int64_t begin, int64_t end) {
    const ReleaseTiles release;
    Worker<T> worker(c, most);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t first = i / c.blocks() * most;
      worker.take(first, std::min(most, c.rows - first));
      worker.multiply(i % c.blocks());
    }
  });
}

template <typename T>
at::Tensor product(const at::Tensor& x, const at::Tensor& packed, const at::Tensor& scales, const at::Tensor& sums) {
  at::Tensor out = at::empty({x.size(0), scales.size(0)}, x.options());
  on_large_pages(out);
  const Call<T> call{.x = x.const_data_ptr<T>(), .packed = packed.const_data_ptr<int8_t>(),
                     .scales = scales.const_data_ptr<T>(), .sums = sums.const_data_ptr<int32_t>(),
                     .out = out.data_ptr<T>(), .rows = x.size(0), .channels = scales.size(0), .width = x.size(1)};
  TORCH_CHECK(packed.size(0) == call.blocks() && packed.size(1) == call.padded() / kUnit, "packed: of other widths");
  if (call.rows > 0) multiply(call);
  return out;
}

// x: fp32 or bf16 [M, K]; packed: int8 [N / 64, K / 4, 64 * 4]; scales: [N] in the dtype of x; sums: int32 [N]. Gives [M, N].
at::Tensor linear(const at::Tensor& x, const at::Tensor& packed, const at::Tensor& scales, const at::Tensor& sums) {
  const at::AutoDispatchBelowADInplaceOrView inference_only;
  const at::ScalarType dtype = x.scalar_type() == at::kFloat ? at::kFloat : at::kBFloat16;
  TORCH_CHECK(x.dim() == 2 && x.scalar_type() == dtype && x.is_contiguous(), "x: fp32 or bf16 [M, K], contiguous");
  check_weights(packed, scales, dtype);
  TORCH_CHECK(sums.sizes() == scales.sizes() && sums.scalar_type() == at::kInt && sums.is_contiguous(), "sums: int32 [N]");
  return (dtype == at::kFloat ? product<float> : product<BFloat16>)(x, packed, scales, sums);
}

} // namespace

TORCH_LIBRARY_FRAGMENT(xeonperf, library) {
  library.def("dynamic_int8(Tensor x, Tensor packed, Tensor scales, Tensor sums) -> Tensor");
}
TORCH_LIBRARY_IMPL(xeonperf, CPU, library) { library.impl("dynamic_int8", &linear); }
