// Files in memory, for tests: holds what it is told to, and fails where it is told to.
#pragma once

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "core/files.h"

namespace ectoscope {

class FakeFiles final : public Files {
 public:
  struct Content {
    std::string bytes;
    size_t at_most = SIZE_MAX;   // bytes that one read() gives, as a pipe does
    size_t fails_at = SIZE_MAX;  // read() is an Error from this byte on
    bool has_size = true;        // false: as a pipe
  };

  void put(const std::string& path, Content content) { contents_[path] = std::move(content); }
  void put(const std::string& path, std::string bytes) { contents_[path].bytes = std::move(bytes); }

  Result<std::unique_ptr<InputFile>> open(const std::string& path) override {
    const auto found = contents_.find(path);
    if (found == contents_.end()) return Error{path + ": no such file"};
    return std::unique_ptr<InputFile>(std::make_unique<File>(path, found->second));
  }

 private:
  class File final : public InputFile {
   public:
    File(std::string path, const Content& content) : path_(std::move(path)), content_(content) {}

    Result<size_t> read(std::span<char> buffer) override {
      if (at_ >= content_.fails_at) return Error{path_ + ": reading failed"};
      const size_t end = std::min(content_.bytes.size(), content_.fails_at);
      const size_t length = std::min({buffer.size(), content_.at_most, end - at_});
      if (length != 0) std::memcpy(buffer.data(), content_.bytes.data() + at_, length);
      at_ += length;
      return length;
    }

    [[nodiscard]] uint64_t size() const override {
      return content_.has_size ? content_.bytes.size() : 0;
    }

   private:
    std::string path_;
    const Content& content_;
    size_t at_ = 0;
  };

  std::map<std::string, Content> contents_;
};

}  // namespace ectoscope
