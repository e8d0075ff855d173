// Attention in bytes: what tiles.h does in FP32 and BF16, for CPUs that multiply bytes faster than either.
//
// A query and a key have a step each. Keys are taken less their mean, which moves all logits of a query alike, so that the
// steps are finer (SageAttention, Zhang et al., 2024). A weight has two bytes, which are multiplied as two rows: with one,
// many small weights beside a large one would be lost. Values have a step for each channel of a tile.
#pragma once

#include "bytes.h"
#include "tiles.h"

#include <array>
#include <cstring>

namespace tiles {

using bytes::kMost;
using bytes::kUnit;
using bytes::kZero;

constexpr float kWhole = 16384.0f;      // of which the weight 1 has so many; two bytes hold weights up to four
constexpr int64_t kGroup = 64;          // keys whose weights are stored together
constexpr int64_t kMostInSum = 1 << 16; // products of bytes whose sum an int32 holds

// What is added to weights before their fractions are cut off, different for each key of a group, so that the sum of many
// small ones keeps what rounding each to nearest would lose or double: (i + 1/2) / 64 for i with its bits reversed.
alignas(64) constexpr auto kDither = [] {
  std::array<float, kGroup> offsets{};
  for (int i = 0; i < kGroup; ++i) {
    int reversed = 0;
    for (int bit = 0; bit < 6; ++bit) reversed |= (i >> bit & 1) << (5 - bit);
    offsets[i] = (static_cast<float>(reversed) + 0.5f) / kGroup;
  }
  return offsets;
}();

// Channels: AMX sums over 64 bytes at a time, others over four; rows are stored sixteen at a time.
template <> inline const int64_t kWidth<int8_t> = __builtin_cpu_supports("amx-int8") ? 64 : kLanes;

// In bytes [depth / 4, lead, 4]. A sum of products with a row is worth sum * step - zero, in steps of the query.
template <> struct Rows<int8_t> {
  int64_t lead;
  std::vector<int8_t> packed;
  std::vector<float> steps, zeros; // [lead] x 2
  Rows(int64_t depth, int64_t lead) : lead(lead), packed(depth * lead), steps(lead), zeros(lead) {}

  // row(t) is row t; `mean` is taken off, if there is one.
  template <typename Row>
  void take(int64_t count, int64_t width, const Row& row, const std::vector<float>& mean = {}) {
    std::vector<float> rest(width);
    std::vector<uint8_t> unsigned_bytes(width);
    for (int64_t t = 0; t < count; ++t) {
      copy_row(rest.data(), row(t), width);
      for (size_t c = 0; c < mean.size(); ++c) rest[c] -= mean[c];
      steps[t] = bytes::quantise(rest.data(), width, unsigned_bytes.data());
      int32_t sum = 0;
      for (const uint8_t byte : unsigned_bytes) sum += byte - kZero;
      zeros[t] = steps[t] * static_cast<float>(kZero * sum);
      for (int64_t c = 0; c < width; c += kUnit) {
        uint32_t unit;
        std::memcpy(&unit, &unsigned_bytes[c], sizeof(unit));
        unit ^= 0x80808080; // less the zero
        std::memcpy(&packed[c * lead + t * kUnit], &unit, sizeof(unit));
      }
    }
  }

  __m512 worth(const int32_t* sums, int64_t t, __mmask16 lanes) const {
    const __m512 sum = _mm512_cvtepi32_ps(_mm512_maskz_loadu_epi32(lanes, sums + t));
    return _mm512_fmsub_ps(sum, load(&steps[t], lanes), load(&zeros[t], lanes));
  }
};

// Values in bytes [padded / 4, width, 4], zeros for those that are not there, with the steps [width] of their channels.
// Neighbours in a sum are keys 16 apart, as weights of a group are stored.
template <typename Row>
void pack_values(int8_t* to, float* steps, int64_t padded, int64_t count, int64_t width, const Row& row) {
  for (int64_t c = 0; c < width; c += kLanes) {
    bytes::Range range;
    for (int64_t t = 0; t < count; ++t) range.see(load(row(t) + c, 0xFFFF));
    const __m512 no_number = _mm512_set1_ps(std::numeric_limits<float>::quiet_NaN());
    const __mmask16 any = _mm512_cmp_ps_mask(range.most, _mm512_setzero_ps(), _CMP_GT_OQ);
    const __m512 inverse = _mm512_maskz_div_ps(any, _mm512_set1_ps(kMost), range.most);
    _mm512_storeu_ps(steps + c, _mm512_mask_mul_ps(no_number, range.finite, range.most, _mm512_set1_ps(1.0f / kMost)));
    for (int64_t i = 0; i < padded / kUnit; ++i) {
      const int64_t first = i / kLanes * kGroup + i % kLanes;
      __m512i unit = _mm512_setzero_si512();
      for (int64_t t = first + kGroup - kLanes; t >= first; t -= kLanes) {
        const __m512 value = t < count ? load(row(t) + c, 0xFFFF) : _mm512_setzero_ps();
        const __m512i whole = _mm512_cvtps_epi32(_mm512_mul_ps(value, inverse));
        unit = _mm512_or_si512(_mm512_slli_epi32(unit, 8), _mm512_and_si512(whole, _mm512_set1_epi32(0xFF)));
      }
      _mm512_storeu_si512(to + (i * width + c) * kUnit, unit);
    }
  }
}

template <> class Packed<int8_t> : public Tiling<int8_t> {
 public:
  Packed(const Tile<int8_t>& tile_, int64_t tokens)
      : Tiling<int8_t>{tile_, tokens}, keys(tiles(), Rows<int8_t>(tile.depth, tile.lead)),
        values(tiles() * tile.padded * tile.width), steps(tiles() * tile.width) {}

  const Rows<int8_t>& keys_of(int64_t n) const { return keys[n]; }
  const int8_t* values_of(int64_t n) const { return &values[n * tile.padded * tile.width]; }
  const float* steps_of(int64_t n) const { return &steps[n * tile.width]; } // of values, [width]

  template <typename Key, typename Value> void pack(const Key& key, const Value& value) {
    const std::vector<float> mean = mean_of(key);
    for (int64_t n = 0; n < tiles(); ++n) {
      const int64_t first = n * tile.keys;
      keys[n].take(keys_in(n), tile.width, [&](int64_t t) { return key(first + t); }, mean);
      pack_values(&values[n * tile.padded * tile.width], &steps[n * tile.width], tile.padded, keys_in(n), tile.width,
                  [&](int64_t t) { return value(first + t); });
    }
  }

 private:
  template <typename Key> std::vector<float> mean_of(const Key& key) const {
    std::vector<float> mean(tile.width);
    for (int64_t c = 0; c < tile.width; c += kLanes) {
      __m512 sum = _mm512_setzero_ps();
      for (int64_t t = 0; t < tokens; ++t) sum = _mm512_add_ps(sum, load(key(t) + c, 0xFFFF));
      _mm512_storeu_ps(&mean[c], _mm512_mul_ps(sum, _mm512_set1_ps(1.0f / static_cast<float>(tokens))));
    }
    return mean;
  }

  std::vector<Rows<int8_t>> keys;
  std::vector<int8_t> values;
  std::vector<float> steps;
};

// Scores of one query with a tile of keys, as they were summed. A logit is `factor` * their worth, and what `shift` adds.
struct Scores {
  const Rows<int8_t>& rows;
  const int32_t* sums;
  float factor;
  int64_t seen; // keys, from the first on

  __mmask16 lanes_at(int64_t k) const { return k < seen ? first_lanes(seen - k) : __mmask16{0}; }

  template <typename Shift> __m512 logit(int64_t k, __mmask16 lanes, const Shift& shift) const {
    return _mm512_fmadd_ps(rows.worth(sums, k, lanes), _mm512_set1_ps(factor), shift(k, lanes));
  }

  // No less than kLowest, whatever is no number.
  template <typename Shift> float largest(const Shift& shift) const {
    __m512 best = _mm512_set1_ps(kLowest);
    for (int64_t k = 0; k < seen; k += kLanes)
      best = _mm512_mask_max_ps(best, lanes_at(k), logit(k, lanes_at(k), shift), best);
    return _mm512_reduce_max_ps(best);
  }
};

template <> class Block<int8_t> {
 public:
  Block(const Tile<int8_t>& tile, int64_t most)
      : tile(tile), queries(most * tile.depth, kZero), weights(2 * most * tile.padded), scores(most * tile.lead),
        products(2 * most * tile.width), steps(most), sums(most * tile.width), tops(most), totals(most), fades(most) {}

  template <typename Row> void start(int64_t count_, const Row& row) {
    count = count_;
    for (int64_t m = 0; m < count; ++m) steps[m] = bytes::quantise(row(m), tile.width, &queries[m * tile.depth]);
  }

  void times(const Rows<int8_t>& rows, int64_t columns, float* to) const {
    multiply(rows, columns, reinterpret_cast<int32_t*>(to));
    for (int64_t m = 0; m < count; ++m, to += rows.lead)
      for (int64_t t = 0; t < columns; t += kLanes) {
        const __m512 worth = rows.worth(reinterpret_cast<const int32_t*>(to), t, first_lanes(columns - t));
        store(to + t, first_lanes(columns - t), _mm512_mul_ps(worth, _mm512_set1_ps(steps[m])));
      }
  }

  // The first `keys` of tile n, of which query m sees seen(m). Its logit with key k is scale * score + bias; shift(m, top)
  // gives (k, lanes) -> bias - top.
  template <typename SeenBy, typename ShiftOf>
  void add(const Packed<int8_t>& packed, int64_t n, int64_t keys, float scale, const SeenBy& seen, const ShiftOf& shift) {
    const Rows<int8_t>& rows = packed.keys_of(n);
    const int64_t depth_of_sum = round_up(keys, kGroup);
    multiply(rows, keys, scores.data());
    for (int64_t m = 0; m < count; ++m) {
      const Scores of_query{rows, &scores[m * tile.lead], steps[m] * scale, seen(m)};
      if (n == 0) tops[m] = of_query.largest(shift(m, 0.0f)), totals[m] = 0.0f;
      fades[m] = n == 0 ? 0.0f : 1.0f;
      soften(m, of_query, depth_of_sum, shift);
    }
    brgemm(2 * count, tile.width, depth_of_sum, tile.padded, tile.width, tile.width, false, weights.data(),
           packed.values_of(n), products.data());
    for (int64_t m = 0; m < count; ++m) collect(m, n == 0, packed.steps_of(n));
  }

  template <typename Stored> void finish(int64_t m, Stored* to) const {
    write_mean(&sums[m * tile.width], totals[m], tile.width, to);
  }

 private:
  void multiply(const Rows<int8_t>& rows, int64_t columns, int32_t* to) const {
    brgemm(count, columns, tile.depth, tile.depth, rows.lead, rows.lead, false, queries.data(), rows.packed.data(), to);
  }

  // From scores to weights, in one pass, relative to the largest logit of the first tile. Where two bytes cannot hold one,
  // the largest of this tile takes its place, and the tile is done again.
  template <typename ShiftOf>
  void soften(int64_t m, const Scores& of_query, int64_t depth_of_sum, const ShiftOf& shift) {
    Weighed found = weigh(m, of_query, depth_of_sum, shift(m, tops[m]));
    if (found.beyond()) {
      const float top = std::max(tops[m], of_query.largest(shift(m, 0.0f)));
      fades[m] *= std::exp2(tops[m] - top), totals[m] *= std::exp2(tops[m] - top), tops[m] = top;
      found = weigh(m, of_query, depth_of_sum, shift(m, top));
    }
    totals[m] += found.beyond() ? std::numeric_limits<float>::quiet_NaN() : found.sum();
  }

  // What weighing saw: the sum of weights, and bits that any of them has.
  struct Weighed {
    __m512i added = _mm512_setzero_si512(), bits = _mm512_setzero_si512();
    bool beyond() const { return static_cast<uint32_t>(_mm512_reduce_or_epi32(bits)) >> 16; } // or no number
    float sum() const { return _mm512_reduce_add_ps(_mm512_cvtepi32_ps(added)); }
  };

  template <typename Shift>
  Weighed weigh(int64_t m, const Scores& of_query, int64_t depth_of_sum, const Shift& shift) {
    uint8_t *high = &weights[m * tile.padded], *low = &weights[(count + m) * tile.padded];
    Weighed found;
    const auto whole = [&](int64_t k) {
      const __mmask16 lanes = of_query.lanes_at(k);
      const __m512 power = exp2_of<BFloat16>(of_query.logit(k, lanes, shift)), offset = _mm512_load_ps(&kDither[k % kGroup]);
      const __m512i weight = _mm512_maskz_cvttps_epi32(lanes, _mm512_fmadd_ps(power, _mm512_set1_ps(kWhole), offset));
      found.added = _mm512_add_epi32(found.added, weight);
      found.bits = _mm512_or_si512(found.bits, weight);
      return weight;
    };
    const __m512i even = _mm512_set1_epi16(0xFF);
    for (int64_t k = 0; k < depth_of_sum; k += kGroup) {
      // words, then bytes, of keys 16 apart
      const __m512i first = _mm512_or_si512(whole(k), _mm512_slli_epi32(whole(k + 2 * kLanes), 16));
      const __m512i second = _mm512_or_si512(whole(k + kLanes), _mm512_slli_epi32(whole(k + 3 * kLanes), 16));
      constexpr int kSelect = 0xCA; // a ? b : c, bit by bit
      _mm512_storeu_si512(low + k, _mm512_ternarylogic_epi32(even, first, _mm512_slli_epi16(second, 8), kSelect));
      _mm512_storeu_si512(high + k, _mm512_ternarylogic_epi32(even, _mm512_srli_epi16(first, 8), second, kSelect));
    }
    return found;
  }

  // Products with the values of a tile, whose steps are given, are added to the sums.
  void collect(int64_t m, bool first, const float* value_steps) {
    const int32_t *high = &products[m * tile.width], *low = &products[(count + m) * tile.width];
    for (int64_t c = 0; c < tile.width; c += kLanes) {
      const __m512 of_high = _mm512_cvtepi32_ps(_mm512_loadu_si512(high + c));
      const __m512 whole = _mm512_fmadd_ps(of_high, _mm512_set1_ps(256.0f), _mm512_cvtepi32_ps(_mm512_loadu_si512(low + c)));
      float* to = &sums[m * tile.width + c];
      // what another block left may be no number
      const __m512 before = first ? _mm512_setzero_ps() : _mm512_mul_ps(_mm512_loadu_ps(to), _mm512_set1_ps(fades[m]));
      _mm512_storeu_ps(to, _mm512_fmadd_ps(whole, _mm512_loadu_ps(value_steps + c), before));
    }
  }

  const Tile<int8_t> tile;
  int64_t count = 0;
  std::vector<uint8_t> queries, weights;               // [count, depth], [2, count, padded]: high bytes, low ones
  std::vector<int32_t> scores, products;               // [count, lead], [2, count, width]
  std::vector<float> steps, sums, tops, totals, fades; // [count], [count, width], [count] x 3
};

// Before a head of so many channels attends to tiles of so many keys.
inline void check_sums(int64_t width, int64_t keys) {
  TORCH_CHECK(std::max(width, keys) <= kMostInSum, "in bytes heads of at most ", kMostInSum, " channels, and rows of keys");
}

} // namespace tiles
