// The threads that answer: one for what must never wait, some for the rest.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace ectoscope {

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
  void add(Job job, bool urgent);
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

  Lane urgent_;
  Lane usual_;
  std::vector<std::thread> threads_;
};

}  // namespace ectoscope
