// What attention kernels share, in powers of two: scores are scaled by log2(e) beforehand. For those that work in tiles of
// torch's brgemm, which is AMX where oneDNN may use it, the layout of its operands, and a softmax that runs online over
// tiles of keys, as in FlashAttention (Dao et al., 2022). `T` is the dtype that is multiplied, BF16 or FP32; queries, keys
// and values in memory may be BF16 also where it is FP32.
#pragma once

#include "lanes.h"

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <vector>

namespace tiles {

using namespace lanes;
using at::BFloat16;
using at::native::cpublas::brgemm;

constexpr int64_t kQueries = 128; // of a block; their scores with a tile of keys stay in the second-level cache
constexpr int64_t kKeys = 512;    // of a tile, about
constexpr float kRoom = 40.0f;    // powers of two that a logit may be above what weights are relative to
constexpr float kLowest = -1e30f; // the least that weights are relative to, for logits of minus infinity
constexpr float kLog2E = 1.44269504f;
template <typename T> constexpr int64_t kDepth = 64 / sizeof(T); // what AMX sums over at a time: shorter sums are filled up
template <typename T> constexpr int64_t kWidth = kDepth<T>;      // the same for sums over the channels of a head

// 2^x for results that are stored in T: the whole part goes to the exponent, Taylor does the rest. Its relative error is a
// fiftieth of BF16's, 4e-5; for FP32 two terms more make it 2e-7.
template <typename T> __m512 exp2_of(__m512 x) {
  const __m512 whole = _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  const __m512 rest = _mm512_sub_ps(x, whole);
  __m512 power = _mm512_set1_ps(0.00961813f);
  if constexpr (std::is_same_v<T, float>) {
    power = _mm512_fmadd_ps(_mm512_set1_ps(0.00015404f), rest, _mm512_set1_ps(0.00133336f));
    power = _mm512_fmadd_ps(power, rest, _mm512_set1_ps(0.00961813f));
  }
  for (const float coefficient : {0.05550411f, 0.24022651f, 0.69314718f, 1.0f})
    power = _mm512_fmadd_ps(power, rest, _mm512_set1_ps(coefficient));
  return _mm512_scalef_ps(power, whole);
}

// Sizes of a tile of keys: the channels of a head, the same filled up, and places of a row of weights and of one of scores,
// whole sums and no power of two.
template <typename T> struct Tile {
  int64_t width, depth, keys, padded, lead;
  Tile(int64_t width, int64_t keys)
      : width(width), depth(round_up(width, kWidth<T>)), keys(keys), padded(round_up(keys, kDepth<T>)), lead(padded + kLanes) {}
};

// A row of `width` values in T, whatever it is stored in.
template <typename T, typename Stored> void copy_row(T* to, const Stored* from, int64_t width) {
  if constexpr (std::is_same_v<T, Stored>) std::copy_n(from, width, to);
  else for (int64_t c = 0; c < width; c += kLanes) store(to + c, 0xFFFF, load(from + c, 0xFFFF));
}

// Keys in brgemm's layout, in BF16 pairs along the channels that are summed over: [depth / 2, lead, 2], in FP32
// [depth, lead]. row(t) is key t.
template <typename Row> void pack_keys(float* to, int64_t lead, int64_t count, int64_t width, const Row& row) {
  for (int64_t t = 0; t < count; ++t) {
    const auto* from = row(t);
    for (int64_t c = 0; c < width; ++c) to[c * lead + t] = static_cast<float>(from[c]);
  }
}

template <typename Row> void pack_keys(BFloat16* to, int64_t lead, int64_t count, int64_t width, const Row& row) {
  auto* pairs = reinterpret_cast<uint32_t*>(to);
  for (int64_t t = 0; t < count; ++t) {
    const auto* from = reinterpret_cast<const uint32_t*>(row(t));
    for (int64_t c = 0; c < width / 2; ++c) pairs[c * lead + t] = from[c];
  }
}

// Values in brgemm's layout, in BF16 pairs along the keys that are summed over: [padded / 2, width, 2], in FP32
// [padded, width]; zeros for those that are not there.
template <typename Row> void pack_values(float* to, int64_t padded, int64_t count, int64_t width, const Row& row) {
  for (int64_t t = 0; t < count; ++t) copy_row(to + t * width, row(t), width);
  std::fill_n(to + count * width, (padded - count) * width, 0.0f);
}

template <typename Row>
void pack_values(BFloat16* to, int64_t padded, int64_t count, int64_t width, const Row& row) {
  for (int64_t t = 0; t < padded; t += 2)
    for (int64_t c = 0; c < width; c += kLanes) {
      const auto lanes_of = [&](int64_t token) {
        if (token >= count) return _mm512_setzero_si512();
        return _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(row(token) + c)));
      };
      _mm512_storeu_si512(to + t * width + 2 * c,
                          _mm512_or_si512(lanes_of(t), _mm512_slli_epi32(lanes_of(t + 1), 16)));
    }
}

// Rows that queries are multiplied with, keys or a table's, in brgemm's layout: `lead` places for them.
template <typename T> struct Rows {
  int64_t lead;
  std::vector<T> packed;
  Rows(int64_t depth, int64_t lead) : lead(lead), packed(depth * lead) {}

  // row(t) is row t.
  template <typename Row> void take(int64_t count, int64_t width, const Row& row) {
    pack_keys(packed.data(), lead, count, width, row);
  }
};

// A head's keys, tile after tile; the last one may have fewer.
template <typename T> struct Tiling {
  const Tile<T> tile;
  const int64_t tokens;
  int64_t tiles() const { return (tokens + tile.keys - 1) / tile.keys; }
  int64_t keys_in(int64_t n) const { return std::min(tile.keys, tokens - n * tile.keys); }
};

// The keys and values of one head in brgemm's layout.
template <typename T> class Packed : public Tiling<T> {
 public:
  using Tiling<T>::tile, Tiling<T>::tiles, Tiling<T>::keys_in;

  Packed(const Tile<T>& tile_, int64_t tokens)
      : Tiling<T>{tile_, tokens}, keys(tiles(), Rows<T>(tile.depth, tile.lead)), values(tiles() * tile.padded * tile.width) {}

  const Rows<T>& keys_of(int64_t n) const { return keys[n]; }
  const T* values_of(int64_t n) const { return &values[n * tile.padded * tile.width]; }

  // key(t) and value(t) are those of token t.
  template <typename Key, typename Value> void pack(const Key& key, const Value& value) {
    for (int64_t n = 0; n < tiles(); ++n) {
      const int64_t first = n * tile.keys;
      keys[n].take(keys_in(n), tile.width, [&](int64_t t) { return key(first + t); });
      pack_values(&values[n * tile.padded * tile.width], tile.padded, keys_in(n), tile.width,
                  [&](int64_t t) { return value(first + t); });
    }
  }

 private:
  std::vector<Rows<T>> keys;
  std::vector<T> values;
};

// Sums [width] of weighted values, divided by the total of the weights.
template <typename Stored> void write_mean(const float* sums, float total, int64_t width, Stored* to) {
  const __m512 inverse = _mm512_set1_ps(1.0f / total);
  for (int64_t c = 0; c < width; c += kLanes) store(to + c, 0xFFFF, _mm512_mul_ps(_mm512_loadu_ps(sums + c), inverse));
}

// What weighing saw: the sum of weights, and the largest logit less what they are relative to.
struct Seen {
  __m512 added = _mm512_setzero_ps(), best = _mm512_set1_ps(-INFINITY);
};

// A block of queries of one head, and what they come to over tiles of keys.
template <typename T> class Block {
 public:
  Block(const Tile<T>& tile, int64_t most)
      : tile(tile), queries(most * tile.depth), weights(most * tile.padded), scores(most * tile.lead),
        sums(most * tile.width), tops(most), totals(most) {}

  // Take `count_` queries: row(m) is query m.
  template <typename Row> void start(int64_t count_, const Row& row) {
    count = count_;
    for (int64_t m = 0; m < count; ++m) copy_row(&queries[m * tile.depth], row(m), tile.width);
  }

  // Products of all queries with the first `columns` rows: [count, lead of the rows].
  void times(const Rows<T>& rows, int64_t columns, float* to) const {
    brgemm(count, columns, tile.depth, tile.depth, rows.lead, rows.lead, false, queries.data(), rows.packed.data(), to);
  }

  // The first `keys` of tile n. logit(m, score) is that of query m with the first of them; weigh(m, scores, top, weights)
  // writes the weights of all, 2^(logit - top), and says what it saw.
  template <typename Logit, typename Weigh>
  void add(const Packed<T>& packed, int64_t n, int64_t keys, const Logit& logit, const Weigh& weigh) {
    const bool first = n == 0;
    const int64_t depth_of_sum = round_up(keys, kDepth<T>);
    times(packed.keys_of(n), keys, scores.data());
    for (int64_t m = 0; m < count; ++m) {
      T* to = &weights[m * tile.padded];
      // what is no number stays none: std::max gives its first argument
      if (first) tops[m] = std::max(logit(m, scores[m * tile.lead]), kLowest), totals[m] = 0.0f;
      soften(m, first, [&] { return weigh(m, &scores[m * tile.lead], tops[m], to); });
      std::fill_n(to + keys, depth_of_sum - keys, T(0.0f)); // for keys that are not there, or that nobody sees
    }
    brgemm(count, tile.width, depth_of_sum, tile.padded, tile.width, tile.width, !first, weights.data(),
           packed.values_of(n), sums.data());
  }

  // What query m came to: [width].
  template <typename Stored> void finish(int64_t m, Stored* to) const {
    write_mean(&sums[m * tile.width], totals[m], tile.width, to);
  }

 private:
  // From scores to weights, in one pass. They are relative to a top that is no largest logit, only one of them: FP32 and
  // BF16 have room above. Where a logit leaves it far behind, it is raised, what was summed so far is scaled down, and the
  // tile is done again.
  template <typename Weigh> void soften(int64_t m, bool first, const Weigh& weigh) {
    Seen seen = weigh();
    // again where the old top has swallowed the logit, as that of minus infinity does; no more where the top is so large
    // that it does not move
    for (float above; (above = _mm512_reduce_max_ps(seen.best)) > kRoom && tops[m] + above > tops[m];) {
      if (!first) scale_down(m, std::exp2(-above));
      tops[m] += above;
      seen = weigh();
    }
    totals[m] += _mm512_reduce_add_ps(seen.added);
  }

  void scale_down(int64_t m, float factor) {
    totals[m] *= factor;
    for (int64_t c = 0; c < tile.width; c += kLanes) {
      float* to = &sums[m * tile.width + c];
      _mm512_storeu_ps(to, _mm512_mul_ps(_mm512_loadu_ps(to), _mm512_set1_ps(factor)));
    }
  }

  const Tile<T> tile;
  int64_t count = 0;
  std::vector<T> queries, weights;                 // [count, depth], [count, padded]
  std::vector<float> scores, sums, tops, totals;   // [count, lead], [count, width], [count] x 2
};

} // namespace tiles
