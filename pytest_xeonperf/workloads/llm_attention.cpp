// Attention of one query a head, as in decoding with a cache, for CPUs with AVX512_BF16.
//
// Torch's own kernel makes small matrix products of it, one row each, and spends more time around them than in them. Here
// a thread takes the queries that share a head of keys, one after the other, reads that head's keys and values where they
// lie in the cache, and skips those that the mask hides. Where there are more threads than heads, each takes a stretch of the keys,
// and what they found is put together as in FlashDecoding (Dao et al., 2023).
#include "heads.h"
#include "lanes.h"

#include <ATen/Parallel.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/cpu/vec/vec.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include <immintrin.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

namespace {

using at::BFloat16;

constexpr int64_t kStep = 32;       // channels that are read at a time
constexpr int64_t kLeastKeys = 256; // of a stretch: fewer are not worth a thread
constexpr float kHidden = -std::numeric_limits<float>::infinity(), kNoNumber = std::numeric_limits<float>::quiet_NaN();

struct Call {
  Heads<at::BFloat16> query, key, value;
  const bool* seen; // [batch, keys], or null where every key is
  int64_t seen_of_batch, seen_of_key;
  int64_t batch, kv_heads, group, keys, width; // group: queries that share a head of keys
  int64_t stretches, stretch;
  float scale;
};

// What one query found in one stretch of keys: sums are relative to the largest score.
struct Found {
  float top = kHidden, total = 0.0f;
  std::vector<float> sum; // [width]
};

__m512bh load(const BFloat16* from) { return reinterpret_cast<__m512bh>(_mm512_loadu_si512(from)); }

// Scores of one query with keys from `first` on; hidden ones are minus infinity.
void score(const Call& c, int64_t image, const BFloat16* query, const BFloat16* keys, int64_t first, int64_t count,
           float* to) {
  const bool* seen = c.seen ? c.seen + image * c.seen_of_batch : nullptr;
  for (int64_t i = 0; i < count; ++i) {
    if (seen && !seen[(first + i) * c.seen_of_key]) {
      to[i] = kHidden;
      continue;
    }
    const BFloat16* key = keys + (first + i) * c.key.of_token;
    __m512 sum = _mm512_setzero_ps();
    for (int64_t d = 0; d < c.width; d += kStep) sum = _mm512_dpbf16_ps(sum, load(query + d), load(key + d));
    to[i] = _mm512_reduce_add_ps(sum) * c.scale;
  }
}

// Scores to weights relative to the largest, in place. A score that is no number makes the sums none.
void soften(std::vector<float>& scores, Found& found) {
  using Lanes = at::vec::Vectorized<float>;
  const auto count = static_cast<int64_t>(scores.size());
  const auto lanes_at = [&](int64_t i) { return std::min<int64_t>(Lanes::size(), count - i); };
  Lanes best(kHidden);
  for (int64_t i = 0; i < count; i += Lanes::size())
    best = at::vec::maximum(best, Lanes::set(Lanes(kHidden), Lanes::loadu(&scores[i], lanes_at(i)), lanes_at(i)));
  found.top = _mm512_reduce_max_ps(best);
  // the exponential makes some number even of what is none, and of infinity less infinity
  if (_mm512_cmp_ps_mask(best, best, _CMP_UNORD_Q) || found.top == -kHidden) {
    found.top = 0.0f, found.total = kNoNumber;
    return;
  }
  if (found.top == kHidden) return; // no key is seen: the weights are not read
  Lanes total(0.0f);
  for (int64_t i = 0; i < count; i += Lanes::size()) {
    const Lanes weight = (Lanes::loadu(&scores[i], lanes_at(i)) - Lanes(found.top)).exp_u20();
    weight.store(&scores[i], lanes_at(i));
    total = total + Lanes::set(Lanes(0.0f), weight, lanes_at(i));
  }
  found.total = _mm512_reduce_add_ps(total);
}

// The weighted sum of kSteps * 32 channels of the values; `values` is the first key's.
template <int kSteps>
void gather_channels(const Call& c, const BFloat16* values, const std::vector<float>& weights, float* to) {
  __m512 low[kSteps] = {}, high[kSteps] = {};
  for (size_t i = 0; i < weights.size(); ++i, values += c.value.of_token) {
    if (weights[i] == 0.0f) continue; // hidden, or too far below: what stands there may be anything
    const __m512 weight = _mm512_set1_ps(weights[i]);
    for (int n = 0; n < kSteps; ++n) {
      const __m512i both = _mm512_loadu_si512(values + n * kStep);
      low[n] = _mm512_fmadd_ps(weight, lanes::widen(_mm512_castsi512_si256(both)), low[n]);
      high[n] = _mm512_fmadd_ps(weight, lanes::widen(_mm512_extracti64x4_epi64(both, 1)), high[n]);
    }
  }
  for (int n = 0; n < kSteps; ++n) {
    _mm512_storeu_ps(to + n * kStep, low[n]);
    _mm512_storeu_ps(to + n * kStep + kStep / 2, high[n]);
  }
}

// The weighted sum of values from `first` on.
void gather(const Call& c, const BFloat16* values, int64_t first, const std::vector<float>& weights, Found& found) {
  found.sum.assign(c.width, 0.0f);
  if (found.top == kHidden) return;
  values += first * c.value.of_token;
  for (int64_t d = 0; d < c.width; d += 4 * kStep)
    switch (std::min<int64_t>(4, (c.width - d) / kStep)) {
      case 1: gather_channels<1>(c, values + d, weights, &found.sum[d]); break;
      case 2: gather_channels<2>(c, values + d, weights, &found.sum[d]); break;
      case 3: gather_channels<3>(c, values + d, weights, &found.sum[d]); break;
      default: gather_channels<4>(c, values + d, weights, &found.sum[d]);
    }
}

// What the stretches of one query come to: bf16 [width]; zeros where it sees no key.
void put_together(const Found* stretches, int64_t count, BFloat16* to) {
  float top = kHidden, total = 0.0f;
  for (int64_t n = 0; n < count; ++n) top = std::max(top, stretches[n].top);
  std::vector<float> sum(stretches[0].sum.size(), 0.0f);
  for (int64_t n = 0; n < count; ++n) {
    const float share = stretches[n].top == kHidden ? 0.0f : std::exp(stretches[n].top - top);
    total += share * stretches[n].total;
    for (size_t d = 0; d < sum.size(); ++d) sum[d] += share * stretches[n].sum[d];
  }
  for (size_t d = 0; d < sum.size(); ++d) to[d] = BFloat16(total == 0.0f ? 0.0f : sum[d] / total);
}

void attend(const Call& c, BFloat16* out) {
  std::vector<Found> found(c.batch * c.kv_heads * c.group * c.stretches); // [batch, heads, stretches]
  at::parallel_for(0, c.batch * c.kv_heads * c.stretches, 1, [&](int64_t begin, int64_t end) {
    std::vector<float> weights;
    for (int64_t i = begin; i < end; ++i) {
      const int64_t part = i % c.stretches, pair = i / c.stretches, image = pair / c.kv_heads, head = pair % c.kv_heads;
      const int64_t first = part * c.stretch;
      weights.resize(std::min(c.stretch, c.keys - first));
      for (int64_t g = 0; g < c.group; ++g) {
        Found& of_query = found[(pair * c.group + g) * c.stretches + part];
        score(c, image, c.query.at(image, head * c.group + g, 0), c.key.at(image, head, 0), first,
              static_cast<int64_t>(weights.size()), weights.data());
        soften(weights, of_query);
        gather(c, c.value.at(image, head, 0), first, weights, of_query);
      }
    }
  });
  for (int64_t i = 0; i < c.batch * c.kv_heads * c.group; ++i)
    put_together(&found[i * c.stretches], c.stretches, out + i * c.width);
}

// query: bf16 [B, H, 1, D]; key, value: bf16 [B, KV, L, D]; mask: bool [B, 1, 1, L], true for what is seen. Gives bf16
// [B, 1, H, D].
at::Tensor decode_attention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                            const std::optional<at::Tensor>& mask, double scale) {
  const at::AutoDispatchBelowADInplaceOrView inference_only;
  lanes::require_bf16_instructions();
  check_heads(query, key, value, at::kBFloat16, kStep);
  TORCH_CHECK(query.size(2) == 1, "query: one a head");
  TORCH_CHECK(!mask || (mask->scalar_type() == at::kBool &&
                        mask->sizes() == at::IntArrayRef({key.size(0), 1, 1, key.size(2)})), "mask: bool [B, 1, 1, L]");
  const int64_t batch = query.size(0), heads = query.size(1), kv_heads = key.size(1), keys = key.size(2);
  const int64_t most = (keys + kLeastKeys - 1) / kLeastKeys, pairs = std::max<int64_t>(1, batch * kv_heads);
  const int64_t wanted = std::clamp<int64_t>((at::get_num_threads() + pairs - 1) / pairs, 1, most);
  const int64_t stretch = (keys + wanted - 1) / wanted;
  const Call call{
      .query = Heads<at::BFloat16>(query), .key = Heads<at::BFloat16>(key), .value = Heads<at::BFloat16>(value),
      .seen = mask ? mask->const_data_ptr<bool>() : nullptr,
      .seen_of_batch = mask ? mask->stride(0) : 0, .seen_of_key = mask ? mask->stride(3) : 0,
      .batch = batch, .kv_heads = kv_heads, .group = heads / kv_heads, .keys = keys, .width = query.size(3),
      .stretches = (keys + stretch - 1) / stretch, .stretch = stretch, .scale = static_cast<float>(scale)};
  at::Tensor out = at::empty({batch, 1, heads, call.width}, query.options());
  attend(call, out.data_ptr<BFloat16>());
  return out;
}

} // namespace

TORCH_LIBRARY_FRAGMENT(xeonperf, library) {
  library.def("decode_attention(Tensor query, Tensor key, Tensor value, Tensor? mask, float scale) -> Tensor");
}
TORCH_LIBRARY_IMPL(xeonperf, CPU, library) { library.impl("decode_attention", &decode_attention); }
