// Attention of many queries to a few keys, as in Segment Anything's mask decoder, where 4,096 places of an image look at a
// prompt's eight tokens. For CPUs with AVX512_BF16.
//
// Torch's kernel works in tiles of matrix products, and eight keys of sixteen channels leave them empty. Here sixteen
// queries are the lanes of a vector: a key's scores are one register, and the softmax runs over registers. Heads are read
// and written where they lie among the channels.
#include "tiles.h"

#include <ATen/Parallel.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/Tensor.h>
#include <ATen/cpu/vec/vec.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

namespace {

using namespace tiles;

constexpr int64_t kMostKeys = 64;
constexpr int64_t kBlock = 8; // times sixteen queries that a thread takes at a time

struct Call {
  const BFloat16 *query, *key, *value; // [batch, tokens, heads * width]
  BFloat16* out;                       // [batch, queries, heads * width]
  int64_t batch, queries, keys, heads, width;
  float scale;
  int64_t channels() const { return heads * width; }
};

__m512i broadcast(uint32_t value) { return _mm512_set1_epi32(static_cast<int>(value)); }

// One head of an image's keys and values.
struct Few {
  std::vector<uint32_t> keys; // [keys, width / 2]: pairs of channels
  std::vector<float> values;  // [keys, width rounded up to sixteen]
  int64_t padded;

  Few(const Call& c, int64_t image, int64_t head)
      : keys(c.keys * c.width / 2), padded(round_up(c.width, kLanes)) {
    values.resize(c.keys * padded, 0.0f);
    for (int64_t k = 0; k < c.keys; ++k) {
      const int64_t place = (image * c.keys + k) * c.channels() + head * c.width;
      std::copy_n(reinterpret_cast<const uint32_t*>(c.key + place), c.width / 2, &keys[k * c.width / 2]);
      std::copy_n(c.value + place, c.width, &values[k * padded]);
    }
  }
};

// Sixteen queries of one head, or `count` at the end of an image: a query a lane.
class Queries {
 public:
  Queries(const Call& c, const Few& few) : c(c), few(few) {}

  void attend(int64_t place, int64_t count) {
    const __m512i lane = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    const __m512i own = _mm512_min_epi32(lane, broadcast(count - 1)); // beyond the end the last one stands in
    const __m512i rows = _mm512_mullo_epi32(own, broadcast(c.channels() / 2));
    score(reinterpret_cast<const int*>(c.query + place), rows);
    for (int64_t d = 0; d < few.padded; d += kLanes) gather(d, c.out + place + d, count);
  }

 private:
  // Weights of all keys, and what they come to together; no number where a score is none.
  void score(const int* pairs, __m512i rows) {
    std::fill_n(weight, c.keys, _mm512_setzero_ps());
    for (int64_t pair = 0; pair < c.width / 2; ++pair) {
      const auto own = reinterpret_cast<__m512bh>(_mm512_i32gather_epi32(rows, pairs + pair, 4));
      for (int64_t k = 0; k < c.keys; ++k)
        weight[k] = _mm512_dpbf16_ps(weight[k], own, reinterpret_cast<__m512bh>(broadcast(few.keys[k * c.width / 2 + pair])));
    }
    __m512 top = weight[0];
    for (int64_t k = 1; k < c.keys; ++k) top = _mm512_max_ps(top, weight[k]);
    total = _mm512_setzero_ps();
    for (int64_t k = 0; k < c.keys; ++k) {
      weight[k] = exp2_of<BFloat16>(_mm512_mul_ps(_mm512_sub_ps(weight[k], top), _mm512_set1_ps(c.scale)));
      total = _mm512_add_ps(total, weight[k]);
    }
  }

  // Sixteen channels from `first` on.
  void gather(int64_t first, BFloat16* to, int64_t count) const {
    __m512 sum[kLanes] = {};
    for (int64_t k = 0; k < c.keys; ++k)
#pragma GCC unroll 16
      for (int d = 0; d < kLanes; ++d)
        sum[d] = _mm512_fmadd_ps(weight[k], _mm512_set1_ps(few.values[k * few.padded + first + d]), sum[d]);
    alignas(64) float by_channel[kLanes * kLanes], by_query[kLanes * kLanes];
    for (int d = 0; d < kLanes; ++d) _mm512_store_ps(by_channel + d * kLanes, _mm512_div_ps(sum[d], total));
    at::vec::transpose_mxn<float, kLanes, kLanes>(by_channel, kLanes, by_query, kLanes);
    for (int64_t q = 0; q < count; ++q)
      store(to + q * c.channels(), first_lanes(c.width - first), _mm512_load_ps(by_query + q * kLanes));
  }

  const Call& c;
  const Few& few;
  __m512 weight[kMostKeys], total;
};

void attend(const Call& c) {
  const int64_t at_once = kBlock * kLanes, blocks = (c.queries + at_once - 1) / at_once;
  at::parallel_for(0, c.batch * c.heads * blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t block = i % blocks, head = i / blocks % c.heads, image = i / blocks / c.heads;
      const Few few(c, image, head);
      Queries queries(c, few);
      const int64_t last = std::min(c.queries, (block + 1) * at_once);
      for (int64_t q = block * at_once; q < last; q += kLanes)
        queries.attend((image * c.queries + q) * c.channels() + head * c.width, std::min(kLanes, last - q));
    }
  });
}

// query: bf16 [B, Q, H * D]; key, value: bf16 [B, K, H * D], K up to 64, D even; scale > 0. Gives bf16 [B, Q, H * D].
at::Tensor few_keys_attention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value, int64_t heads,
                              double scale) {
  const at::AutoDispatchBelowADInplaceOrView inference_only;
  for (const at::Tensor& each : {query, key, value})
    TORCH_CHECK(each.dim() == 3 && each.scalar_type() == at::kBFloat16 && each.is_contiguous(),
                "query, key, value: bf16 [B, tokens, channels], contiguous");
  TORCH_CHECK(key.sizes() == value.sizes() && key.size(0) == query.size(0) && key.size(2) == query.size(2),
              "query, key and value are of different sizes");
  TORCH_CHECK(heads > 0 && query.size(2) % (2 * heads) == 0, "channels of a head: even");
  TORCH_CHECK(key.size(1) > 0 && key.size(1) <= kMostKeys, "keys: up to 64");
  require_bf16_instructions();
  TORCH_CHECK(scale > 0, "scale: above 0"); // the largest score stays the largest
  at::Tensor out = at::empty(query.sizes(), query.options());
  attend({.query = query.const_data_ptr<BFloat16>(), .key = key.const_data_ptr<BFloat16>(),
          .value = value.const_data_ptr<BFloat16>(), .out = out.data_ptr<BFloat16>(), .batch = query.size(0),
          .queries = query.size(1), .keys = key.size(1), .heads = heads, .width = query.size(2) / heads,
          .scale = static_cast<float>(scale) * kLog2E});
  return out;
}

} // namespace

TORCH_LIBRARY_FRAGMENT(xeonperf, library) {
  library.def("few_keys_attention(Tensor query, Tensor key, Tensor value, int heads, float scale) -> Tensor");
}
TORCH_LIBRARY_IMPL(xeonperf, CPU, library) { library.impl("few_keys_attention", &few_keys_attention); }
