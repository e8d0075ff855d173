// Attention between many tokens, without a mask or causal, as in SDXL's UNet and a language model's prefill: in FP32 for
// CPUs with AVX-512, in BF16 for those with AVX512_BF16; or BF16 tensors, multiplied in FP32 or in bytes.
//
// Torch's own kernel reaches a third of what its matrix products do, since it goes over scores several times. Here it is
// one pass over a tile (see tiles.h). Heads are read and written where they lie among the channels.
#include "byte_tiles.h"
#include "heads.h"

#include <ATen/Parallel.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

namespace {

using namespace tiles;

template <typename T, typename Stored> struct Call {
  Heads<Stored> query, key, value;
  Stored* out; // [batch, queries, heads, width]
  int64_t batch, heads, group, queries, keys, width; // group: heads of queries that share one of keys
  bool causal;
  float scale;
  Tile<T> tile;
};

// What one thread works with: the keys and values of one head of an image, and one block of queries at a time.
template <typename T, typename Stored> class Worker {
 public:
  Worker(const Call<T, Stored>& c, int64_t most) : c(c), packed(c.tile, c.keys), block(c.tile, most) {}

  void attend(int64_t image, int64_t head, int64_t first, int64_t queries) {
    if (const int64_t owner_ = image * c.heads + head / c.group; owner_ != owner) pack(image, head / c.group), owner = owner_;
    block.start(queries, [&](int64_t m) { return c.query.at(image, head, first + m); });
    for (int64_t n = 0; n < packed.tiles(); ++n) {
      const int64_t count = seen_in(n, first + queries - 1);
      if (count == 0) break;
      add(n, count, first);
    }
    for (int64_t m = 0; m < queries; ++m)
      block.finish(m, c.out + ((image * c.queries + first + m) * c.heads + head) * c.width);
  }

 private:
  void add(int64_t n, int64_t count, int64_t first) {
    const auto seen = [=, this](int64_t m) { return seen_in(n, first + m); };
    if constexpr (std::is_same_v<T, int8_t>)
      block.add(packed, n, count, c.scale, seen, [](int64_t, float top) {
        return [less = _mm512_set1_ps(-top)](int64_t, __mmask16) { return less; };
      });
    else
      block.add(
          packed, n, count, [&](int64_t, float score) { return score * c.scale; },
          [&](int64_t m, const float* scores, float top, T* to) {
            std::fill_n(to + seen(m), count - seen(m), T(0.0f));
            return weigh(scores, seen(m), top, to);
          });
  }

  void pack(int64_t image, int64_t head) {
    packed.pack([&](int64_t t) { return c.key.at(image, head, t); }, [&](int64_t t) { return c.value.at(image, head, t); });
  }

  // Keys of a tile that a query sees, or all queries up to this one.
  int64_t seen_in(int64_t n, int64_t query) const {
    const int64_t all = packed.keys_in(n);
    return c.causal ? std::clamp<int64_t>(query + 1 - n * c.tile.keys, 0, all) : all;
  }

  Seen weigh(const float* scores, int64_t count, float top, T* to) const {
    const __m512 factor = _mm512_set1_ps(c.scale), base = _mm512_set1_ps(top);
    Seen seen;
    for (int64_t k = 0; k < count; k += kLanes) {
      const __mmask16 lanes = first_lanes(count - k);
      const __m512 logit = _mm512_fmsub_ps(_mm512_maskz_loadu_ps(lanes, scores + k), factor, base);
      seen.best = _mm512_mask_max_ps(seen.best, lanes, seen.best, logit);
      const __m512 weight = exp2_of<Stored>(logit);
      seen.added = _mm512_mask_add_ps(seen.added, lanes, seen.added, weight);
      store(to + k, lanes, weight);
    }
    return seen;
  }

  const Call<T, Stored>& c;
  Packed<T> packed;
  Block<T> block;
  int64_t owner = -1;
};

template <typename T, typename Stored> void attend(const Call<T, Stored>& c) {
  const int64_t most = std::min(kQueries, c.queries), blocks = (c.queries + most - 1) / most;
  at::parallel_for(0, c.batch * c.heads * blocks, 1, [&](int64_t begin, int64_t end) {
    const ReleaseTiles release;
    Worker<T, Stored> worker(c, most);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t pair = i / blocks, first = i % blocks * most;
      worker.attend(pair / c.heads, pair % c.heads, first, std::min(most, c.queries - first));
    }
  });
}

template <typename T, typename Stored = T>
void attend_into(at::Tensor& out, const at::Tensor& query, const at::Tensor& key, const at::Tensor& value, bool causal,
                 double scale) {
  const int64_t heads = query.size(1), queries = query.size(2), width = query.size(3);
  const int64_t keys = causal ? std::min(key.size(2), queries) : key.size(2); // of a cache, what is there
  attend(Call<T, Stored>{.query = Heads<Stored>(query), .key = Heads<Stored>(key), .value = Heads<Stored>(value),
                         .out = out.data_ptr<Stored>(), .batch = query.size(0), .heads = heads,
                         .group = heads / key.size(1), .queries = queries, .keys = keys, .width = width,
                         .causal = causal, .scale = static_cast<float>(scale) * kLog2E,
                         .tile = Tile<T>(width, std::min(kKeys, keys))});
}

at::Tensor empty_result(const at::Tensor& query) {
  return at::empty({query.size(0), query.size(2), query.size(1), query.size(3)}, query.options());
}

// query: bf16 or fp32 [B, H, Q, D]; key, value: [B, KV, K, D] in the same dtype; D % 16 == 0. Causal, query i sees the keys
// 0 to i. BF16 is multiplied in FP32 where `in_fp32` says so. Gives [B, Q, H, D].
at::Tensor tiled_attention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value, bool causal,
                           double scale, bool in_fp32) {
  const at::AutoDispatchBelowADInplaceOrView inference_only;
  const bool fp32 = query.scalar_type() == at::kFloat;
  if (!fp32 && !in_fp32) require_bf16_instructions();
  check_heads(query, key, value, fp32 ? at::kFloat : at::kBFloat16, kLanes);
  at::Tensor out = empty_result(query);
  if (fp32) attend_into<float>(out, query, key, value, causal, scale);
  else if (in_fp32) attend_into<float, BFloat16>(out, query, key, value, causal, scale);
  else attend_into<BFloat16>(out, query, key, value, causal, scale);
  return out;
}

// The same in bytes, of bf16.
at::Tensor tiled_attention_int8(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value, bool causal,
                                double scale) {
  const at::AutoDispatchBelowADInplaceOrView inference_only;
  bytes::require_byte_instructions();
  check_heads(query, key, value, at::kBFloat16, kLanes);
  check_sums(query.size(3), kKeys);
  at::Tensor out = empty_result(query);
  attend_into<int8_t, BFloat16>(out, query, key, value, causal, scale);
  return out;
}

} // namespace

TORCH_LIBRARY_FRAGMENT(xeonperf, library) {
  library.def("tiled_attention(Tensor query, Tensor key, Tensor value, bool causal, float scale, bool in_fp32) "
              "-> Tensor");
  library.def("tiled_attention_int8(Tensor query, Tensor key, Tensor value, bool causal, float scale) -> Tensor");
}
TORCH_LIBRARY_IMPL(xeonperf, CPU, library) {
  library.impl("tiled_attention", &tiled_attention);
  library.impl("tiled_attention_int8", &tiled_attention_int8);
}
