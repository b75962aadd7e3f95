// One thread with a stack that libpg_query's recursion can't overrun.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <pthread.h>

namespace ectoscope {

/// Runs one job at a time on its own thread, started by the first job.
///
/// Threads: run() from one at a time; it returns when the job has run.  Where the system gives no
/// thread, run() says so and the caller does without libpg_query.
class SqlParseThread {
 public:
  SqlParseThread() = default;
  ~SqlParseThread();
  SqlParseThread(const SqlParseThread&) = delete;
  SqlParseThread& operator=(const SqlParseThread&) = delete;

  /// False when there is no such thread to be had.
  bool run(const std::function<void()>& job);

 private:
  static void* entry(void* self);
  void loop();
  bool start();

  std::mutex mutex_;
  std::condition_variable changed_;
  const std::function<void()>* job_ = nullptr;  // of the caller that waits
  bool started_ = false;
  bool stop_ = false;
  pthread_t thread_{};
};

}  // namespace ectoscope
