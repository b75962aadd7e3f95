// Between threads: several put, one takes; who puts waits while it is full.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

namespace ectoscope {

/// Threads: any.
template <typename T>
class BoundedQueue {
 public:
  explicit BoundedQueue(size_t capacity) : capacity_(capacity) {}

  /// False when stopping was asked for before there was room; the value is gone then.
  bool put(T value, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    if (!room_.wait(lock, stop, [this] { return held_.size() < capacity_; })) return false;
    held_.push_back(std::move(value));
    lock.unlock();
    filled_.notify_one();
    return true;
  }

  /// Nothing when none came within `patience`.
  std::optional<T> take(std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    if (!filled_.wait_for(lock, patience, [this] { return !held_.empty() || woken_; }))
      return std::nullopt;
    woken_ = false;
    if (held_.empty()) return std::nullopt;
    T value = std::move(held_.front());
    held_.pop_front();
    lock.unlock();
    room_.notify_one();
    return value;
  }

  /// Lets a take() that waits return at once.
  void wake() {
    {
      const std::lock_guard lock(mutex_);
      woken_ = true;
    }
    filled_.notify_one();
  }

 private:
  size_t capacity_;
  std::mutex mutex_;
  std::condition_variable_any room_;
  std::condition_variable_any filled_;
  std::deque<T> held_;
  bool woken_ = false;
};

}  // namespace ectoscope
