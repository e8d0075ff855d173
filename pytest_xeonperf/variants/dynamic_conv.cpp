// W8A8 convolutions with every pixel quantised over its channels as it comes, for CPUs with AVX512_VNNI.
//
// A strip of the image is brought to bytes, with a frame of zeros around it, and stays in the cache. Pixels side by side
// are then rows of a matrix for each place of the kernel (its taps), multiplied with that tap's weights through torch's
// brgemm, which is AMX where oneDNN may use it. Each tap sees pixels with other steps, so its whole sums are brought back
// to FP32 before they are added.
#include "int8_weights.h"

#include <ATen/Parallel.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include <algorithm>
#include <optional>
#include <vector>

namespace {

using namespace bytes;
using at::BFloat16;
using at::native::cpublas::brgemm;

constexpr int64_t kPixels = 64;   // of a line of the result, at a time
constexpr int64_t kFewest = 256;  // pixels of a strip of the result, about, for which weights are read once
constexpr int64_t kStripBytes = 1 << 18;  // of a strip, about, where that makes it larger
constexpr int64_t kVectors = kColumns / kLanes;

struct Plane {
  int64_t height, width;
  int64_t area() const { return height * width; }
};

template <typename T> struct Call {
  const T* x;             // [B, H, W, C]
  const int8_t* packed;   // [N / 64, taps * C / 4, 64 * 4]
  const T* scales;        // [N]
  const int32_t* sums;    // [N / 64, taps, 64], of the weights of a channel
  const T* bias;          // [N], or none
  T* out;                 // [B, OH, OW, N]
  int64_t images, inputs, channels;
  Plane image, result, kernel, stride, padding, dilation;

  int64_t filled() const { return round_up(inputs, kColumns); }
  int64_t blocks() const { return (channels + kColumns - 1) / kColumns; }
  int64_t framed_width() const { return image.width + 2 * padding.width; }

  // Lines of the result in a strip, and lines of the framed image that they see.
  int64_t lines() const {
    const int64_t of_bytes = kStripBytes / (framed_width() * filled() * stride.height);
    return std::clamp<int64_t>(std::max(of_bytes, kFewest / result.width), 1, result.height);
  }
  int64_t seen(int64_t of_result) const {
    return (of_result - 1) * stride.height + (kernel.height - 1) * dilation.height + 1;
  }
};

// What one thread works with: a strip of an image in bytes, and sums for a block of channels of some pixels of a line.
template <typename T> class Worker {
 public:
  explicit Worker(const Call<T>& c)
      : c(c), filled(c.filled()), width(c.framed_width()), strip(c.seen(c.lines()) * width * filled),
        steps(c.seen(c.lines()) * width), products(kPixels * kColumns), sums(kPixels * kColumns) {}

  void take(int64_t image_, int64_t first_, int64_t lines_) {
    if (image_ == image && first_ == first) return;
    image = image_, first = first_, lines = lines_;
    for (int64_t line = 0; line < c.seen(lines); ++line) quantise_line(line);
  }

  void convolve(int64_t block) {
    for (int64_t line = 0; line < lines; ++line)
      for (int64_t x = 0; x < c.result.width; x += kPixels)
        convolve(block, line, x, std::min(kPixels, c.result.width - x));
  }

 private:
  // A line of the framed strip. What its bytes are in the frame does not matter, since steps are zero there, nor beyond
  // the channels, where weights are.
  void quantise_line(int64_t line) {
    const int64_t y = first * c.stride.height + line - c.padding.height;
    float* of_line = &steps[line * width];
    std::fill_n(of_line, width, 0.0f);
    if (y < 0 || y >= c.image.height) return;
    const T* from = c.x + (image * c.image.height + y) * c.image.width * c.inputs;
    for (int64_t x = 0; x < c.image.width; ++x) {
      const int64_t place = x + c.padding.width;
      of_line[place] = quantise(from + x * c.inputs, c.inputs, &strip[(line * width + place) * filled]);
    }
  }

  void convolve(int64_t block, int64_t line, int64_t x, int64_t count) {
    std::fill_n(sums.data(), count * kColumns, 0.0f);
    for (int64_t tap = 0; tap < c.kernel.area(); ++tap) {
      const int64_t down = line * c.stride.height + tap / c.kernel.width * c.dilation.height;
      const int64_t pixel = down * width + x * c.stride.width + tap % c.kernel.width * c.dilation.width;
      const int64_t place = (block * c.kernel.area() + tap) * kColumns;
      brgemm(count, kColumns, filled, c.stride.width * filled, kColumns, kColumns, false, &strip[pixel * filled],
             c.packed + place * filled, products.data());
      add(count, &steps[pixel], c.sums + place);
    }
    const int64_t channel = block * kColumns;
    T* to = c.out + ((image * c.result.height + first + line) * c.result.width + x) * c.channels + channel;
    for (int64_t m = 0; m < count; ++m) finish(&sums[m * kColumns], channel, to + m * c.channels);
  }

  // The products of one tap, each pixel's with its own step.
  void add(int64_t count, const float* of_pixels, const int32_t* of_weights) {
    __m512i added[kVectors];
    for (int64_t v = 0; v < kVectors; ++v)
      added[v] = _mm512_mullo_epi32(_mm512_loadu_si512(of_weights + v * kLanes), _mm512_set1_epi32(kZero));
    for (int64_t m = 0; m < count; ++m) {
      const __m512 step = _mm512_set1_ps(of_pixels[m * c.stride.width]);
      for (int64_t v = 0; v < kVectors; ++v) {
        const int64_t at = m * kColumns + v * kLanes;
        const __m512 whole = _mm512_cvtepi32_ps(_mm512_sub_epi32(_mm512_loadu_si512(&products[at]), added[v]));
        _mm512_storeu_ps(&sums[at], _mm512_fmadd_ps(step, whole, _mm512_loadu_ps(&sums[at])));
      }
    }
  }

  // A block of a pixel's channels, from `channel` on, brought back to what they stand for.
  void finish(const float* from, int64_t channel, T* to) {
    const int64_t last = std::min(channel + kColumns, c.channels);
    for (int64_t n = channel; n < last; n += kLanes, from += kLanes, to += kLanes) {
      const __mmask16 lanes = first_lanes(last - n);
      const __m512 bias = c.bias ? load(c.bias + n, lanes) : _mm512_setzero_ps();
      store(to, lanes, _mm512_fmadd_ps(_mm512_loadu_ps(from), load(c.scales + n, lanes), bias));
    }
  }

  const Call<T>& c;
  const int64_t filled, width;
  int64_t image = -1, first = -1, lines = 0;
  std::vector<uint8_t> strip;     // [lines seen, width, filled]
  std::vector<float> steps;       // [lines seen, width]
  std::vector<int32_t> products;  // [pixels, 64]
  std::vector<float> sums;        // [pixels, 64]
};

// A task is a strip of lines with a block of channels; a thread has those of a strip one after the other.
template <typename T> void convolve(const Call<T>& c) {
  const int64_t lines = c.lines(), of_image = (c.result.height + lines - 1) / lines;
  at::parallel_for(0, c.images * of_image * c.blocks(), 1, [&](int64_t begin, int64_t end) {
    const ReleaseTiles release;
    Worker<T> worker(c);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t strip = i / c.blocks(), first = strip % of_image * lines;
      worker.take(strip / of_image, first, std::min(lines, c.result.height - first));
      worker.convolve(i % c.blocks());
    }
  });
}

Plane plane(at::IntArrayRef pair, int64_t least, const char* name) {
  TORCH_CHECK(pair.size() == 2 && pair[0] >= least && pair[1] >= least, name, ": two numbers, from ", least, " on");
  return {pair[0], pair[1]};
}

// Pixels of the result on one side.
int64_t places(int64_t size, int64_t kernel, int64_t stride, int64_t padding, int64_t dilation) {
  const int64_t room = size + 2 * padding - dilation * (kernel - 1) - 1;
  TORCH_CHECK(room >= 0, "x: smaller than the kernel");
  return room / stride + 1;
}

template <typename T>
at::Tensor result_of(Call<T> c, const at::Tensor& x, const at::Tensor& packed, const at::Tensor& scales,
                     const at::Tensor& sums, const std::optional<at::Tensor>& bias) {
  TORCH_CHECK(packed.size(0) == c.blocks() && packed.size(1) == c.kernel.area() * c.filled() / kUnit,
              "packed: of other widths");
  TORCH_CHECK(sums.numel() == c.blocks() * c.kernel.area() * kColumns, "sums: int32 [N / 64, taps, 64]");
  at::Tensor out = at::empty({c.images, c.channels, c.result.height, c.result.width}, x.options(),
                             at::MemoryFormat::ChannelsLast);
  on_large_pages(out);
  c.x = x.const_data_ptr<T>(), c.packed = packed.const_data_ptr<int8_t>(), c.scales = scales.const_data_ptr<T>();
  c.sums = sums.const_data_ptr<int32_t>(), c.bias = bias ? bias->const_data_ptr<T>() : nullptr;
  c.out = out.data_ptr<T>();
  if (out.numel() > 0) convolve(c);
  return out;
}

// x: fp32 or bf16 [B, C, H, W], channels last; packed: int8 [N / 64, taps * C / 4, 64 * 4]; scales: [N] in the dtype of
// x; sums: int32 [N / 64, taps, 64]; bias: as scales. Gives [B, N, OH, OW], channels last.
at::Tensor convolution(const at::Tensor& x, const at::Tensor& packed, const at::Tensor& scales, const at::Tensor& sums,
                       const std::optional<at::Tensor>& bias, at::IntArrayRef kernel, at::IntArrayRef stride,
                       at::IntArrayRef padding, at::IntArrayRef dilation) {
  const at::AutoDispatchBelowADInplaceOrView inference_only;
  const at::ScalarType dtype = x.scalar_type() == at::kFloat ? at::kFloat : at::kBFloat16;
  TORCH_CHECK(x.dim() == 4 && x.scalar_type() == dtype && x.is_contiguous(at::MemoryFormat::ChannelsLast),
              "x: fp32 or bf16 [B, C, H, W], channels last");
  check_weights(packed, scales, dtype);
  TORCH_CHECK(sums.scalar_type() == at::kInt && sums.is_contiguous(), "sums: int32 [N / 64, taps, 64]");
  TORCH_CHECK(!bias || (bias->sizes() == scales.sizes() && bias->scalar_type() == dtype && bias->is_contiguous()),
              "bias: as scales");
  TORCH_CHECK(x.size(1) > 0, "x: no channels");
  const Plane image{x.size(2), x.size(3)}, of_kernel = plane(kernel, 1, "kernel"), of_stride = plane(stride, 1, "stride");
  const Plane of_padding = plane(padding, 0, "padding"), of_dilation = plane(dilation, 1, "dilation");
  const Plane result{places(image.height, of_kernel.height, of_stride.height, of_padding.height, of_dilation.height),
                     places(image.width, of_kernel.width, of_stride.width, of_padding.width, of_dilation.width)};
  const auto apply = [&]<typename T>(T) {
    return result_of<T>({.images = x.size(0), .inputs = x.size(1), .channels = scales.size(0), .image = image,
                         .result = result, .kernel = of_kernel, .stride = of_stride, .padding = of_padding,
                         .dilation = of_dilation}, x, packed, scales, sums, bias);
  };
  return dtype == at::kFloat ? apply(float{}) : apply(BFloat16{});
}

} // namespace

TORCH_LIBRARY_FRAGMENT(xeonperf, library) {
  library.def("dynamic_conv(Tensor x, Tensor packed, Tensor scales, Tensor sums, Tensor? bias, int[2] kernel, int[2] stride, "
              "int[2] padding, int[2] dilation) -> Tensor");
}
TORCH_LIBRARY_IMPL(xeonperf, CPU, library) { library.impl("dynamic_conv", &convolution); }
