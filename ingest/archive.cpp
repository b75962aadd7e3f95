#include "ingest/archive.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "ingest/decoder.h"

namespace ectoscope {
namespace {

using namespace std::string_view_literals;

constexpr size_t kInputBuffer = size_t{256} * 1024;
constexpr size_t kMagicLength = 4;

/// The file with its first bytes looked at and put back.
class Source {
 public:
  explicit Source(std::unique_ptr<InputFile> file) : file_(std::move(file)) {}

  Result<std::string_view> peek() {
    while (head_length_ < head_.size()) {
      Result<size_t> got = file_->read(std::span(head_).subspan(head_length_));
      if (!got.ok()) return got.error();
      if (got.value() == 0) break;
      head_length_ += got.value();
    }
    return std::string_view(head_.data(), head_length_);
  }

  Result<size_t> read(std::span<char> buffer) {
    if (head_given_ < head_length_) {
      const size_t length = std::min(buffer.size(), head_length_ - head_given_);
      std::memcpy(buffer.data(), head_.data() + head_given_, length);
      head_given_ += length;
      consumed_ += length;
      return length;
    }
    Result<size_t> got = file_->read(buffer);
    if (got.ok()) consumed_ += got.value();
    return got;
  }

  [[nodiscard]] uint64_t size() const { return file_->size(); }
  [[nodiscard]] uint64_t consumed() const { return consumed_; }

 private:
  std::unique_ptr<InputFile> file_;
  std::array<char, kMagicLength> head_{};
  size_t head_length_ = 0;
  size_t head_given_ = 0;
  uint64_t consumed_ = 0;
};

class PlainFile final : public Archive {
 public:
  explicit PlainFile(Source source) : source_(std::move(source)) {}

  Result<size_t> read(std::span<char> buffer) override { return source_.read(buffer); }
  [[nodiscard]] uint64_t size() const override { return source_.size(); }
  [[nodiscard]] uint64_t consumed() const override { return source_.consumed(); }

 private:
  Source source_;
};

class CompressedFile final : public Archive {
 public:
  CompressedFile(Source source, std::unique_ptr<Decoder> decoder, std::string path)
      : source_(std::move(source)),
        decoder_(std::move(decoder)),
        path_(std::move(path)),
        input_(kInputBuffer) {}

  Result<size_t> read(std::span<char> buffer) override {
    if (buffer.empty()) return size_t{0};
    for (;;) {
      const Decoded step =
          decoder_->decode(std::span(input_).subspan(begin_, end_ - begin_), buffer);
      begin_ += step.used;
      if (step.produced != 0) {
        decoded_ += step.produced;
        return step.produced;
      }
      if (!step.problem.empty()) return broken(step.problem);
      if (begin_ != end_) {
        if (step.used == 0) return broken("no progress");
        continue;
      }
      Result<size_t> got = source_.read(input_);
      if (!got.ok()) return got;
      if (got.value() == 0) {
        if (decoder_->at_boundary()) return size_t{0};
        return broken("the file ends in the middle of the archive");
      }
      begin_ = 0;
      end_ = got.value();
    }
  }

  [[nodiscard]] uint64_t size() const override { return source_.size(); }
  [[nodiscard]] uint64_t consumed() const override { return source_.consumed() - (end_ - begin_); }

 private:
  [[nodiscard]] Error broken(const std::string& why) const {
    return {path_ + ": broken archive at byte " + std::to_string(consumed()) + " (" + why +
            "), after " + std::to_string(decoded_) +
            " bytes of log; what came before was read, copy the file again for the rest"};
  }

  Source source_;
  std::unique_ptr<Decoder> decoder_;
  std::string path_;
  std::vector<char> input_;
  size_t begin_ = 0;  // of what is not decoded yet
  size_t end_ = 0;
  uint64_t decoded_ = 0;
};

}  // namespace

Result<std::unique_ptr<Archive>> open_archive(Files& files, const std::string& path) {
  Result<std::unique_ptr<InputFile>> file = files.open(path);
  if (!file.ok()) return file.error();
  Source source(std::move(file).value());
  const Result<std::string_view> head = source.peek();
  if (!head.ok()) return head.error();
  std::unique_ptr<Decoder> decoder;
  if (head.value().starts_with("\x1F\x8B"sv)) decoder = make_gzip_decoder();
  if (head.value() == "\x28\xB5\x2F\xFD"sv) decoder = make_zstd_decoder();
  if (!decoder) return std::unique_ptr<Archive>(std::make_unique<PlainFile>(std::move(source)));
  return std::unique_ptr<Archive>(
      std::make_unique<CompressedFile>(std::move(source), std::move(decoder), path));
}

}  // namespace ectoscope
