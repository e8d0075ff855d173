// What the kernels for few rows of activations share: how channels are dealt out, and how many rows are left to oneDNN.
//
// A thread reads four output channels at a time that lie far apart: one stream of weights does not keep enough cache
// lines on their way to use the bandwidth of memory.
#pragma once

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>

#include <algorithm>

namespace streams {

using at::BFloat16;

constexpr int64_t kStreams = 4;          // output channels that a thread works on at a time, far from each other
constexpr int64_t kAhead = 1024;         // bytes that are fetched before they are needed
constexpr int64_t kRowsAtOnce = 4;       // of activations
constexpr int64_t kFewRows = 16;         // up to here weights are multiplied as they are
constexpr int64_t kBlockBytes = 8 << 20; // of weights that are turned back into floating point at a time

// Calls multiply<kRows>(first, apart, row) for all channels first, first + apart, first + 2 * apart, first + 3 * apart
// and for rows of activations row, ..., row + kRows - 1: the weights of four channels stay in a cache.
template <typename Multiply> void few_rows(int64_t channels, int64_t rows, const Multiply& multiply) {
  at::parallel_for(0, channels / kStreams, 16, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      for (int64_t row = 0; row < rows; row += kRowsAtOnce) {
        const int64_t first = begin * kStreams + i - begin, apart = end - begin;
        switch (std::min(kRowsAtOnce, rows - row)) {
          case 1: multiply.template operator()<1>(first, apart, row); break;
          case 2: multiply.template operator()<2>(first, apart, row); break;
          case 3: multiply.template operator()<3>(first, apart, row); break;
          default: multiply.template operator()<kRowsAtOnce>(first, apart, row);
        }
      }
  });
}

// out: bf16 [M, N] from x: bf16 [M, K] by torch's matmul of T, on weights [K] that turn_back(channel, to) gives in T.
template <typename T, typename TurnBack>
void many_rows_in(const at::Tensor& x, at::Tensor& out, const TurnBack& turn_back) {
  const int64_t width = x.size(1), all = out.size(1), bytes = sizeof(T) * width;
  const int64_t most = std::min(std::max<int64_t>(64, kBlockBytes / bytes), all);
  const at::Tensor rows = x.to(c10::CppTypeToScalarType<T>::value), block = at::empty({most, width}, rows.options());
  T* to = block.data_ptr<T>();
  for (int64_t from = 0; from < all; from += most) {
    const int64_t channels = std::min(most, all - from);
    at::parallel_for(0, channels, 32, [&](int64_t begin, int64_t end) {
      for (int64_t c = begin; c < end; ++c) turn_back(from + c, to + c * width);
    });
    out.narrow(1, from, channels).copy_(at::mm(rows, block.narrow(0, 0, channels).t()));
  }
}

// The same in BF16; or in FP32, for processors that multiply it faster.
template <typename TurnBack>
void many_rows(const at::Tensor& x, at::Tensor& out, bool in_fp32, const TurnBack& turn_back) {
  in_fp32 ? many_rows_in<float>(x, out, turn_back) : many_rows_in<BFloat16>(x, out, turn_back);
}

} // namespace streams
