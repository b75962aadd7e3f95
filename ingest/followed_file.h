// One file of a log that is followed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/log_files.h"
#include "core/time.h"
#include "ingest/block.h"

namespace ectoscope {

/// What has to be remembered of a file from one run to the next.
struct FollowedFile {
  uint16_t number = 0;  // of the file in its log; unique among those that are remembered
  FileIdentity identity;
  uint32_t head_length = 0;  // bytes that the fingerprint covers, at most kHeadBytes
  uint64_t head_hash = 0;
  uint64_t read_to = 0;  // all before it was handed over and used
  bool cut = false;      // it was truncated since: what is left of it is in a copy, if anywhere
  bool copy = false;     // of another file, by copytruncate: not read

  static constexpr size_t kHeadBytes = 256;
};

/// The fingerprint of a file's first bytes, the same in each run.
uint64_t fingerprint(std::string_view head);

/// A FollowedFile with what is known while it is open.
class OpenLog {
 public:
  OpenLog(FollowedFile state, std::string path) : state_(state), path_(std::move(path)) {}

  FollowedFile& state() { return state_; }
  [[nodiscard]] const FollowedFile& state() const { return state_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  void renamed(const std::string& path) { path_ = path; }

  [[nodiscard]] bool is_open() const { return file_ != nullptr; }
  /// Opens it and reads its fingerprint where there is none yet.
  Result<FileFacts> open(LogFiles& files);
  void close();

  /// The open file under another name and number: its old content is gone.
  OpenLog begin_anew(uint16_t number);
  /// Goes on in a copy of it.
  void go_on_in(OpenLog copy);

  /// Whether the file's first bytes, and the last ones that were read, are still what they were.
  bool same_content();
  /// Covers more of the file's beginning while that grows.
  void extend_head();
  /// Remembers the bytes before the place up to which was read.
  void remember_tail(std::string_view read);

  LogFile& file() { return *file_; }
  Block& block() { return *block_; }
  void make_block(size_t capacity);
  [[nodiscard]] uint64_t fetched() const { return state_.read_to + (block_ ? block_->held() : 0); }
  [[nodiscard]] std::string_view head() const { return head_; }

  uint64_t size = 0;         // when last looked at
  int64_t modified_us = -1;  // likewise
  Micros grown_at{0};        // of the follower's clock
  Micros seen_at{0};         // in the directory
  Micros appeared_at{-1};    // likewise, for the first time; -1: before all others were looked at
  bool dry = false;          // read to its end, and another file took its place

 private:
  static constexpr size_t kTailBytes = 64;

  FollowedFile state_;
  std::string path_;
  std::unique_ptr<LogFile> file_;
  std::unique_ptr<Block> block_;
  std::string head_;  // its first bytes, in memory only
  std::string tail_;  // the last ones that were read
};

/// The first bytes of a file, up to what a fingerprint covers.
Result<std::string> read_head(LogFile& file);

}  // namespace ectoscope
