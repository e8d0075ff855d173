// Queries, keys or values of several heads, as attention's operators are given them.
#pragma once

#include <ATen/core/Tensor.h>

template <typename T> struct Heads {
  const T* data; // [batch, heads, tokens, width], the channels of a head side by side
  int64_t of_image, of_head, of_token;

  explicit Heads(const at::Tensor& from)
      : data(from.const_data_ptr<T>()), of_image(from.stride(0)), of_head(from.stride(1)),
        of_token(from.stride(2)) {}

  const T* at(int64_t image, int64_t head, int64_t token) const {
    return data + image * of_image + head * of_head + token * of_token;
  }
};

// Whether query, key and value are [B, H, Q, D], [B, KV, K, D] and the same in one dtype, with H a multiple of KV.
inline void check_heads(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value, at::ScalarType dtype,
                        int64_t multiple) {
  for (const at::Tensor& each : {query, key, value})
    TORCH_CHECK(each.dim() == 4 && each.scalar_type() == dtype && each.stride(3) == 1 && each.numel() > 0 &&
                    each.size(3) % multiple == 0,
                "query, key, value: [B, heads, tokens, D] in ", dtype, ", not empty, D side by side and a multiple of ",
                multiple);
  TORCH_CHECK(key.sizes() == value.sizes() && key.size(0) == query.size(0) && key.size(3) == query.size(3) &&
                  query.size(1) % key.size(1) == 0,
              "key and value: [B, KV, K, D] with heads a multiple of KV");
}
