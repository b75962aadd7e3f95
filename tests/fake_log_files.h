// A directory of growing files in memory, for tests of what follows logs.
#pragma once

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/log_files.h"

namespace ectoscope {

class FakeLogFiles final : public LogFiles {
 public:
  void append(const std::string& path, const std::string& bytes) {
    Inode& file = make(path);
    file.bytes += bytes;
    file.modified_us = ++clock_;
  }
  void rename(const std::string& from, const std::string& to) {
    names_[to] = names_.at(from);
    names_.erase(from);
  }
  void copy(const std::string& from, const std::string& to) {
    make(to).bytes = names_.at(from)->bytes;
    make(to).modified_us = ++clock_;
  }
  void cut(const std::string& path) {
    names_.at(path)->bytes.clear();
    names_.at(path)->modified_us = ++clock_;
  }
  void remove(const std::string& path) { names_.erase(path); }
  void forbid(const std::string& path, bool forbidden) { names_.at(path)->forbidden = forbidden; }
  void make_directory(const std::string& path) { make(path).regular = false; }

  Result<std::vector<std::string>> list(const std::string& pattern) override {
    std::vector<std::string> paths;
    const size_t star = pattern.find('*');
    for (const auto& [path, inode] : names_) {
      const bool fits =
          star == std::string::npos ? path == pattern : path.starts_with(pattern.substr(0, star));
      if (fits) paths.push_back(path);
    }
    return paths;
  }

  Result<FileFacts> facts(const std::string& path) override {
    const auto found = names_.find(path);
    if (found == names_.end()) return Error{path + ": no such file"};
    return facts_of(*found->second);
  }

  Result<std::unique_ptr<LogFile>> open(const std::string& path) override {
    const auto found = names_.find(path);
    if (found == names_.end()) return Error{path + ": no such file"};
    if (found->second->forbidden) return Error{path + ": permission denied"};
    return std::unique_ptr<LogFile>(std::make_unique<File>(found->second));
  }

 private:
  struct Inode {
    uint64_t number = 0;
    std::string bytes;
    int64_t modified_us = 0;
    bool forbidden = false;
    bool regular = true;
  };

  class File final : public LogFile {
   public:
    explicit File(std::shared_ptr<Inode> inode) : inode_(std::move(inode)) {}
    Result<FileFacts> facts() override { return facts_of(*inode_); }
    Result<size_t> read_at(uint64_t offset, std::span<char> buffer) override {
      const std::string& bytes = inode_->bytes;
      if (offset >= bytes.size()) return size_t{0};
      const size_t length = std::min(buffer.size(), bytes.size() - offset);
      std::memcpy(buffer.data(), bytes.data() + offset, length);
      return length;
    }

   private:
    std::shared_ptr<Inode> inode_;
  };

  static FileFacts facts_of(const Inode& inode) {
    return {{1, inode.number}, inode.bytes.size(), inode.modified_us, inode.regular};
  }

  Inode& make(const std::string& path) {
    auto& inode = names_[path];
    if (inode == nullptr) {
      inode = std::make_shared<Inode>();
      inode->number = ++numbers_;
    }
    return *inode;
  }

  std::map<std::string, std::shared_ptr<Inode>> names_;
  uint64_t numbers_ = 100;
  int64_t clock_ = 0;
};

}  // namespace ectoscope
