#include "platform/standard_input.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <poll.h>
#include <random>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace ectoscope {
namespace {

constexpr std::string_view kName = "-";
constexpr size_t kHead = 4096;                  // what a fingerprint may ask for again
constexpr size_t kBehind = size_t{64} * 1024;   // what was read and may be looked at again
constexpr size_t kAhead = size_t{1024} * 1024;  // what was not read

/// What came in, as a file that is known by its beginning and its end.
class Stream {
 public:
  explicit Stream(int descriptor) : descriptor_(descriptor), number_(std::random_device()()) {}

  FileFacts facts() {
    const std::lock_guard lock(mutex_);
    pull();
    // Each run's, and each reader's, is another file: none goes on in what it does not hold.
    return {{0, number_},
            kept_from_ + kept_.size(),
            static_cast<int64_t>(kept_from_ + kept_.size()),
            true};
  }

  Result<size_t> read_at(uint64_t offset, std::span<char> buffer) {
    const std::lock_guard lock(mutex_);
    if (offset >= kept_from_ + kept_.size()) return size_t{0};
    if (offset < kept_from_) {
      if (offset < head_.size()) return copy(std::string_view(head_).substr(offset), buffer);
      return Error{"standard input: what was read can't be read again"};
    }
    const size_t got = copy(std::string_view(kept_).substr(offset - kept_from_), buffer);
    read_to_ = std::max(read_to_, offset + got);
    return got;
  }

  /// Its reader is gone: what comes now is another's.
  void closed() {
    const std::lock_guard lock(mutex_);
    kept_.erase(0, read_to_ - kept_from_);
    head_ = kept_.substr(0, kHead);
    kept_from_ = read_to_ = 0;
    ++number_;
  }

  /// Why nothing more will come; empty while something may.
  std::string ended() {
    const std::lock_guard lock(mutex_);
    pull();
    if (!ended_ || read_to_ < kept_from_ + kept_.size()) return {};
    return "standard input has ended" + (problem_.empty() ? "" : " (" + problem_ + ")") +
           "; all that came was read: start the command that writes to it, and ectoscope, again";
  }

 private:
  static size_t copy(std::string_view from, std::span<char> to) {
    const size_t length = std::min(from.size(), to.size());
    std::memcpy(to.data(), from.data(), length);
    return length;
  }

  /// Takes what is there without waiting for more.
  void pull() {
    if (read_to_ - kept_from_ > 2 * kBehind) {
      kept_.erase(0, read_to_ - kept_from_ - kBehind);
      kept_from_ = read_to_ - kBehind;
    }
    char block[16 * 1024];
    while (!ended_ && kept_from_ + kept_.size() - read_to_ < kAhead) {
      pollfd ready{descriptor_, POLLIN, 0};
      if (::poll(&ready, 1, 0) <= 0) return;
      const ssize_t got = ::read(descriptor_, block, sizeof block);
      if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
      if (got < 0) problem_ = std::generic_category().message(errno);
      ended_ = got <= 0;
      if (ended_) return;
      kept_.append(block, static_cast<size_t>(got));
      if (head_.size() < kHead)
        head_.append(block, std::min(kHead - head_.size(), static_cast<size_t>(got)));
    }
  }

  std::mutex mutex_;
  const int descriptor_;
  uint64_t number_;
  std::string head_;
  std::string kept_;        // from kept_from_ on
  uint64_t kept_from_ = 0;  // of what came since the last reader
  uint64_t read_to_ = 0;
  bool ended_ = false;
  std::string problem_;
};

class StreamFile final : public LogFile {
 public:
  explicit StreamFile(std::shared_ptr<Stream> stream) : stream_(std::move(stream)) {}
  StreamFile(const StreamFile&) = delete;
  StreamFile& operator=(const StreamFile&) = delete;
  ~StreamFile() override { stream_->closed(); }

  Result<FileFacts> facts() override { return stream_->facts(); }
  Result<size_t> read_at(uint64_t offset, std::span<char> buffer) override {
    return stream_->read_at(offset, buffer);
  }

 private:
  std::shared_ptr<Stream> stream_;
};

class FilesAndStandardInput final : public LogFiles {
 public:
  FilesAndStandardInput(LogFiles& files, int descriptor)
      : files_(files), stream_(std::make_shared<Stream>(descriptor)) {}

  Result<std::vector<std::string>> list(const std::string& pattern) override {
    if (pattern != kName) return files_.list(pattern);
    if (const std::string why = stream_->ended(); !why.empty()) return Error{why};
    return std::vector<std::string>{pattern};
  }

  Result<FileFacts> facts(const std::string& path) override {
    if (path != kName) return files_.facts(path);
    return stream_->facts();
  }

  Result<std::unique_ptr<LogFile>> open(const std::string& path) override {
    if (path != kName) return files_.open(path);
    return std::unique_ptr<LogFile>(std::make_unique<StreamFile>(stream_));
  }

 private:
  LogFiles& files_;
  std::shared_ptr<Stream> stream_;
};

}  // namespace

std::unique_ptr<LogFiles> with_standard_input(LogFiles& files, int descriptor) {
  return std::make_unique<FilesAndStandardInput>(files, descriptor);
}

}  // namespace ectoscope
