// The threads that answer: one for what must never wait, one for passwords, some for the rest.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace ectoscope {

enum class LaneKind : uint8_t { kUsual, kUrgent, kPassword };

/// Runs jobs in the order of their lane.  The caller bounds how many there are.
class WorkLanes {
 public:
  using Job = std::function<void()>;

  WorkLanes() = default;
  WorkLanes(const WorkLanes&) = delete;
  WorkLanes& operator=(const WorkLanes&) = delete;
  ~WorkLanes() { stop(); }

  void start(size_t workers);
  /// Threads: any.
  void add(Job job, LaneKind kind);
  /// Forgets what has not begun and waits for what has.
  void stop();

 private:
  struct Lane {
    std::mutex changing;
    std::condition_variable changed;
    std::deque<Job> jobs;
    bool stopping = false;
  };

  static void run(Lane& lane);

  Lane& lane(LaneKind kind) { return lanes_[static_cast<size_t>(kind)]; }

  std::array<Lane, 3> lanes_;  // by LaneKind
  std::vector<std::thread> threads_;
};

}  // namespace ectoscope
