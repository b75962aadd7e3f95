#include <algorithm>
#include <limits>
#include <new>
#include <zlib.h>

#include "ingest/decoder.h"

namespace ectoscope {
namespace {

constexpr int kGzipOnly = 16 + MAX_WBITS;

class GzipDecoder final : public Decoder {
 public:
  GzipDecoder() {
    if (inflateInit2(&stream_, kGzipOnly) != Z_OK) throw std::bad_alloc();
  }
  GzipDecoder(const GzipDecoder&) = delete;
  GzipDecoder& operator=(const GzipDecoder&) = delete;
  ~GzipDecoder() override { inflateEnd(&stream_); }

  Decoded decode(std::span<const char> input, std::span<char> output) override {
    Decoded step;
    if (between_members_) {
      if (after_first_) step.used = skip_padding(input);
      if (step.used == input.size()) return step;
      inflateReset(&stream_);
      between_members_ = false;
    }
    input = input.subspan(step.used);
    const size_t most = std::numeric_limits<uInt>::max();
    // zlib does not write to its input; the cast is its interface's.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
    stream_.avail_in = static_cast<uInt>(std::min(input.size(), most));
    stream_.next_out = reinterpret_cast<Bytef*>(output.data());
    stream_.avail_out = static_cast<uInt>(std::min(output.size(), most));
    const int status = inflate(&stream_, Z_NO_FLUSH);
    step.used += static_cast<size_t>(reinterpret_cast<const char*>(stream_.next_in) - input.data());
    step.produced = static_cast<size_t>(reinterpret_cast<char*>(stream_.next_out) - output.data());
    if (status == Z_STREAM_END)
      between_members_ = after_first_ = true;
    else if (status != Z_OK && status != Z_BUF_ERROR)
      step.problem = stream_.msg != nullptr ? stream_.msg : "damaged data";
    return step;
  }

  [[nodiscard]] bool at_boundary() const override { return between_members_; }

 private:
  // Tapes and some tools fill the last block with zeros.
  static size_t skip_padding(std::span<const char> input) {
    const auto end = std::find_if(input.begin(), input.end(), [](char c) { return c != '\0'; });
    return static_cast<size_t>(end - input.begin());
  }

  z_stream stream_{};
  bool between_members_ = true;
  bool after_first_ = false;
};

}  // namespace

std::unique_ptr<Decoder> make_gzip_decoder() {
  return std::make_unique<GzipDecoder>();
}

}  // namespace ectoscope
