// Segment Anything's attention with its decomposed relative-position bias, in FP32 for CPUs with AVX-512, in BF16 for
// those with AVX512_BF16; or BF16 tensors, multiplied in FP32 or in bytes.
//
// Torch's own kernel takes the bias as a mask, which somebody has to write to memory and the kernel to read again: 384 MiB
// for a global block of vit_b. Here the bias of a query is two short rows (one value for each row and for each column
// of keys), made by a small product and added while the scores are in the cache (see tiles.h).
//
// Windows are addressed where they lie: nothing is cut out, padded or put back. A place of a window that hangs over
// the edge of the image has, as upstream pads after the norm, the projection's bias for its query, key and value.
#include "byte_tiles.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include <immintrin.h>

#include <algorithm>
#include <vector>

namespace {

using namespace tiles;

// Where everything is. `side` is the image's in tokens, `region` a window's, or the image's for a global block.
template <typename T> struct Shape {
  int64_t batch, heads, width; // width: channels of a head
  int64_t side_h, side_w, region_h, region_w, regions_h, regions_w;
  int64_t tile_rows; // of keys
  Tile<T> tile{0, 0};
  int64_t tokens() const { return region_h * region_w; }
  int64_t regions() const { return batch * regions_h * regions_w; }
  int64_t channels() const { return 3 * heads * width; } // of queries, keys and values together
};

// A table of relative positions [2 * size - 1, width] back to front, in brgemm's layout: the bias of a query at `y`
// with the keys 0, 1, ... then stands in a row of its product, from `size - 1 - y` on.
template <typename T> struct Table {
  int64_t size, columns;
  Rows<T> rows; // in a tile of `columns`

  template <typename Stored>
  Table(const Stored* from, int64_t width, int64_t size_, int64_t depth)
      : size(size_), columns(round_up(2 * size_ - 1, kLanes)), rows(depth, columns) {
    const int64_t last = 2 * size - 2;
    rows.take(last + 1, width, [&](int64_t j) { return from + (last - j) * width; });
  }
};

// What one thread works with: the keys and values of one head in a region, and one block of queries at a time.
template <typename T, typename Stored> class Worker {
 public:
  Worker(const Shape<T>& shape, const Table<T>& by_row, const Table<T>& by_column, const Stored* projected,
         const Stored* bias, float scale, int64_t most)
      : s(shape), by_row(by_row), by_column(by_column), projected(projected), bias(bias), scale(scale * kLog2E),
        places(s.tokens()), packed(s.tile, s.tokens()), row_bias(most * by_row.columns),
        column_bias(most * by_column.columns), of_keys(s.tile.keys), block(s.tile, most) {}

  void attend(int64_t region_, int64_t head_, int64_t first_, int64_t queries_, Stored* out) {
    if (region_ != region) find_places(region_);
    if (region_ != region || head_ != head) pack(head_);
    region = region_, head = head_, first = first_, queries = queries_;
    start();
    for (int64_t n = 0; n < packed.tiles(); ++n) add_tile(n);
    finish(out);
  }

 private:
  // Of each token of a region among those of all images, or -1 where it hangs over the edge.
  void find_places(int64_t of) {
    const int64_t in_image = of % (s.regions_h * s.regions_w), image = of / (s.regions_h * s.regions_w);
    const int64_t top_y = in_image / s.regions_w * s.region_h, left_x = in_image % s.regions_w * s.region_w;
    for (int64_t y = 0; y < s.region_h; ++y)
      for (int64_t x = 0; x < s.region_w; ++x) {
        const bool inside = top_y + y < s.side_h && left_x + x < s.side_w;
        places[y * s.region_w + x] = inside ? (image * s.side_h + top_y + y) * s.side_w + left_x + x : -1;
      }
  }

  const Stored* projection(int64_t token, int64_t part, int64_t of_head) const {
    const int64_t place = places[token];
    return (place < 0 ? bias : projected + place * s.channels()) + (part * s.heads + of_head) * s.width;
  }

  void pack(int64_t of_head) {
    packed.pack([&](int64_t t) { return projection(t, 1, of_head); }, [&](int64_t t) { return projection(t, 2, of_head); });
  }

  void start() {
    block.start(queries, [this](int64_t m) { return projection(first + m, 0, head); });
    bias_of(by_row, row_bias);
    bias_of(by_column, column_bias);
  }

  void bias_of(const Table<T>& table, std::vector<float>& to) {
    block.times(table.rows, table.columns, to.data());
    for (int64_t i = 0; i < queries * table.columns; i += kLanes)
      _mm512_storeu_ps(&to[i], _mm512_mul_ps(_mm512_loadu_ps(&to[i]), _mm512_set1_ps(kLog2E)));
  }

  void add_tile(int64_t n) {
    const int64_t count = packed.keys_in(n);
    const auto row = [&](int64_t m) {
      return &row_bias[m * by_row.columns + by_row.size - 1 - (first + m) / s.region_w + n * s.tile_rows];
    };
    const auto column = [&](int64_t m) {
      return &column_bias[m * by_column.columns + by_column.size - 1 - (first + m) % s.region_w];
    };
    if constexpr (std::is_same_v<T, int8_t>)
      block.add(packed, n, count, scale, [&](int64_t) { return count; }, [&](int64_t m, float top) {
        add_bias(row(m), column(m), count / s.region_w, top);
        return [this](int64_t k, __mmask16 lanes) { return load(of_keys.data() + k, lanes); };
      });
    else
      block.add(
          packed, n, count, [&](int64_t m, float score) { return score * scale + row(m)[0] + column(m)[0]; },
          [&](int64_t m, const float* scores, float top, T* to) {
            return weigh(scores, row(m), column(m), count / s.region_w, top, to);
          });
  }

  // The bias of a query with the keys of a tile, less `top`.
  void add_bias(const float* row, const float* column, int64_t rows, float top) {
    for (int64_t w = 0; w < s.region_w; w += kLanes) {
      const __mmask16 lanes = first_lanes(s.region_w - w);
      const __m512 of_column = load(column + w, lanes);
      for (int64_t r = 0; r < rows; ++r)
        store(&of_keys[r * s.region_w + w], lanes, _mm512_add_ps(of_column, _mm512_set1_ps(row[r] - top)));
    }
  }

  Seen weigh(const float* scores, const float* row, const float* column, int64_t rows, float top, T* to) const {
    Seen seen;
    for (int64_t w = 0; w < s.region_w; w += 4 * kLanes)
      switch (const int64_t left = s.region_w - w; std::min<int64_t>(4, (left + kLanes - 1) / kLanes)) {
        case 1: weigh_columns<1>(scores + w, row, column + w, rows, left, top, to + w, seen); break;
        case 2: weigh_columns<2>(scores + w, row, column + w, rows, left, top, to + w, seen); break;
        case 3: weigh_columns<3>(scores + w, row, column + w, rows, left, top, to + w, seen); break;
        default: weigh_columns<4>(scores + w, row, column + w, rows, left, top, to + w, seen);
      }
    return seen;
  }

  // Up to 64 columns of keys, whose bias stays in registers for all rows.
  template <int kVectors>
  void weigh_columns(const float* scores, const float* row, const float* column, int64_t rows, int64_t columns, float base,
                     T* to, Seen& seen) const {
    __m512 of_column[kVectors], added[kVectors], best[kVectors];
    __mmask16 lanes[kVectors];
    for (int v = 0; v < kVectors; ++v) {
      lanes[v] = first_lanes(columns - v * kLanes);
      of_column[v] = _mm512_maskz_loadu_ps(lanes[v], column + v * kLanes);
      added[v] = _mm512_setzero_ps(), best[v] = _mm512_set1_ps(-INFINITY);
    }
    const __m512 factor = _mm512_set1_ps(scale);
    for (int64_t r = 0; r < rows; ++r, scores += s.region_w, to += s.region_w) {
      const __m512 of_row = _mm512_set1_ps(row[r] - base);
      for (int v = 0; v < kVectors; ++v) {
        const __m512 raw = _mm512_maskz_loadu_ps(lanes[v], scores + v * kLanes);
        const __m512 logit = _mm512_fmadd_ps(raw, factor, _mm512_add_ps(of_column[v], of_row));
        best[v] = _mm512_mask_max_ps(best[v], lanes[v], best[v], logit);
        const __m512 e = exp2_of<Stored>(logit);
        added[v] = _mm512_mask_add_ps(added[v], lanes[v], added[v], e);
        store(to + v * kLanes, lanes[v], e);
      }
    }
    for (int v = 0; v < kVectors; ++v) {
      seen.added = _mm512_add_ps(seen.added, added[v]);
      seen.best = _mm512_max_ps(seen.best, best[v]);
    }
  }

  void finish(Stored* out) const {
    for (int64_t m = 0; m < queries; ++m)
      if (const int64_t place = places[first + m]; place >= 0) block.finish(m, out + (place * s.heads + head) * s.width);
  }

  const Shape<T>& s;
  const Table<T> &by_row, &by_column;
  const Stored *projected, *bias;
  const float scale;
  int64_t region = -1, head = -1, first = 0, queries = 0;
  std::vector<int64_t> places;
  Packed<T> packed;
  std::vector<float> row_bias, column_bias, of_keys; // [queries, columns] x 2, [keys] of one query
  Block<T> block;
};

template <typename T> Shape<T> shape_of(const at::Tensor& projected, int64_t heads, int64_t window) {
  TORCH_CHECK(projected.dim() == 4 && projected.is_contiguous() && projected.numel() > 0,
              "projected: [batch, height, width, channels], contiguous, not empty");
  TORCH_CHECK(heads > 0 && window >= 0, "at least one head, and no negative window");
  Shape<T> s{};
  s.batch = projected.size(0), s.side_h = projected.size(1), s.side_w = projected.size(2);
  s.heads = heads, s.width = projected.size(3) / (3 * heads);
  TORCH_CHECK(s.width % kLanes == 0 && s.width > 0 && projected.size(3) == s.channels(),
              "the channels of a head are a multiple of ", kLanes);
  s.region_h = window ? window : s.side_h, s.region_w = window ? window : s.side_w;
  s.regions_h = (s.side_h + s.region_h - 1) / s.region_h, s.regions_w = (s.side_w + s.region_w - 1) / s.region_w;
  s.tile_rows = std::clamp<int64_t>(kKeys / s.region_w, 1, s.region_h);
  s.tile = Tile<T>(s.width, s.tile_rows * s.region_w);
  return s;
}

template <typename T, typename Stored = T>
at::Tensor attend_in(const at::Tensor& projected, const at::Tensor& bias, const at::Tensor& table_h,
                     const at::Tensor& table_w, int64_t heads, int64_t window, double scale) {
  const Shape<T> s = shape_of<T>(projected, heads, window);
  TORCH_CHECK(bias.numel() == s.channels(), "bias: [3 * heads * channels of a head]");
  TORCH_CHECK(table_h.dim() == 2 && table_w.dim() == 2 && table_h.size(0) == 2 * s.region_h - 1 &&
                  table_w.size(0) == 2 * s.region_w - 1 && table_h.size(1) == s.width && table_w.size(1) == s.width,
              "tables: [2 * region - 1, channels of a head]");
  const Table<T> by_row(table_h.const_data_ptr<Stored>(), s.width, s.region_h, s.tile.depth);
  const Table<T> by_column(table_w.const_data_ptr<Stored>(), s.width, s.region_w, s.tile.depth);
  at::Tensor out = at::empty({s.batch, s.side_h, s.side_w, heads * s.width}, projected.options());
  const auto *from = projected.const_data_ptr<Stored>(), *bias_from = bias.const_data_ptr<Stored>();
  auto* to = out.data_ptr<Stored>();
  const int64_t most = s.tokens() <= 2 * kQueries ? s.tokens() : kQueries;
  const int64_t blocks = (s.tokens() + most - 1) / most;
  at::parallel_for(0, s.regions() * heads * blocks, 1, [&](int64_t begin, int64_t end) {
    const ReleaseTiles release;
    Worker<T, Stored> worker(s, by_row, by_column, from, bias_from, static_cast<float>(scale), most);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t pair = i / blocks, first = i % blocks * most;
      worker.attend(pair / heads, pair % heads, first, std::min(most, s.tokens() - first), to);
    }
  });
  return out;
}

void check_dtypes(at::ScalarType dtype, std::initializer_list<at::Tensor> tensors) {
  for (const auto& tensor : tensors)
    TORCH_CHECK(tensor.scalar_type() == dtype && tensor.is_contiguous(), dtype, " and contiguous, all of them");
}

// projected: bf16 or fp32 [batch, side_h, side_w, 3 * heads * width]; the others in the same dtype, bias: [3 * heads *
// width]; tables: [2 * region - 1, width]; window 0 for a global block. BF16 is multiplied in FP32 where `in_fp32` says so.
// Gives [batch, side_h, side_w, heads * width].
at::Tensor attend(const at::Tensor& projected, const at::Tensor& bias, const at::Tensor& table_h,
                  const at::Tensor& table_w, int64_t heads, int64_t window, double scale, bool in_fp32) {
  const at::AutoDispatchBelowADInplaceOrView inference_only;
  const at::ScalarType dtype = projected.scalar_type() == at::kFloat ? at::kFloat : at::kBFloat16;
  check_dtypes(dtype, {projected, bias, table_h, table_w});
  if (dtype == at::kBFloat16 && !in_fp32) require_bf16_instructions();
  const auto of_bf16 = in_fp32 ? attend_in<float, BFloat16> : attend_in<BFloat16>;
  const auto attend_here = dtype == at::kFloat ? attend_in<float> : of_bf16;
  return attend_here(projected, bias, table_h, table_w, heads, window, scale);
}

// The same in bytes, of bf16.
at::Tensor attend_int8(const at::Tensor& projected, const at::Tensor& bias, const at::Tensor& table_h,
                       const at::Tensor& table_w, int64_t heads, int64_t window, double scale) {
  const at::AutoDispatchBelowADInplaceOrView inference_only;
  bytes::require_byte_instructions();
  check_dtypes(at::kBFloat16, {projected, bias, table_h, table_w});
  check_sums(table_h.size(-1), std::max(kKeys, window ? window : projected.size(-2)));
  return attend_in<int8_t, BFloat16>(projected, bias, table_h, table_w, heads, window, scale);
}

} // namespace

TORCH_LIBRARY_FRAGMENT(xeonperf, library) {
  library.def("rel_pos_attention(Tensor projected, Tensor bias, Tensor table_h, Tensor table_w, int heads, int window, "
              "float scale, bool in_fp32) -> Tensor");
  library.def("rel_pos_attention_int8(Tensor projected, Tensor bias, Tensor table_h, Tensor table_w, int heads, "
              "int window, float scale) -> Tensor");
}
TORCH_LIBRARY_IMPL(xeonperf, CPU, library) {
  library.impl("rel_pos_attention", &attend);
  library.impl("rel_pos_attention_int8", &attend_int8);
}
