#include "ingest/followed_file.h"

#include <algorithm>
#include <utility>

#include "core/hash.h"

namespace ectoscope {

uint64_t fingerprint(std::string_view head) {
  return keyed_hash(HashKey{}, head);
}

Result<std::string> read_head(LogFile& file) {
  std::string head(FollowedFile::kHeadBytes, '\0');
  const auto got = file.read_at(0, head);
  if (!got.ok()) return got.error();
  head.resize(got.value());
  return head;
}

Result<FileFacts> OpenLog::open(LogFiles& files) {
  auto opened = files.open(path_);
  if (!opened.ok()) return opened.error();
  auto now = opened.value()->facts();
  if (!now.ok()) return now;
  auto head = read_head(*opened.value());
  if (!head.ok()) return head.error();
  file_ = std::move(opened.value());
  head_ = std::move(head.value());
  dry = false;
  if (state_.head_length == 0) extend_head();
  return now;
}

void OpenLog::close() {
  file_.reset();
  block_.reset();
}

OpenLog OpenLog::begin_anew(uint16_t number) {
  FollowedFile fresh;
  fresh.number = number;
  fresh.identity = state_.identity;
  OpenLog anew(fresh, path_);
  anew.file_ = std::move(file_);
  anew.grown_at = grown_at;
  anew.seen_at = seen_at;
  block_.reset();
  state_.cut = true;
  return anew;
}

void OpenLog::go_on_in(OpenLog copy) {
  state_.identity = copy.state_.identity;
  state_.cut = false;
  path_ = std::move(copy.path_);
  close();
  tail_.clear();  // what was fetched and not used yet is fetched again: it ends elsewhere now
  dry = false;
  modified_us = -1;
}

bool OpenLog::same_content() {
  if (state_.head_length != 0) {
    const auto head = read_head(*file_);
    if (!head.ok()) return true;  // can't be told now; reading will say what is wrong
    if (head.value().size() < state_.head_length) return false;
    const auto covered = std::string_view(head.value()).substr(0, state_.head_length);
    if (fingerprint(covered) != state_.head_hash) return false;
  }
  if (tail_.empty()) return true;
  std::string now(tail_.size(), '\0');
  const auto got = file_->read_at(fetched() - tail_.size(), now);
  return !got.ok() || (got.value() == tail_.size() && now == tail_);
}

void OpenLog::extend_head() {
  if (state_.head_length >= FollowedFile::kHeadBytes) return;
  auto head = read_head(*file_);
  if (!head.ok() || head.value().size() <= state_.head_length) return;
  head_ = std::move(head.value());
  state_.head_length = static_cast<uint32_t>(head_.size());
  state_.head_hash = fingerprint(head_);
}

void OpenLog::remember_tail(std::string_view read) {
  tail_.append(read.substr(read.size() - std::min(read.size(), kTailBytes)));
  if (tail_.size() > kTailBytes) tail_.erase(0, tail_.size() - kTailBytes);
}

void OpenLog::make_block(size_t capacity) {
  if (!block_) {
    block_ = std::make_unique<Block>(capacity);
  } else if (block_->capacity() != capacity && block_->held() <= capacity) {
    block_->resize(capacity);
  }
}

}  // namespace ectoscope
