#include "parsers/sql_parse_thread.h"

namespace ectoscope {
namespace {

// libpg_query needs about 400 bytes of stack for each term of an operator chain (measured: 21,900
// terms overrun 8 MiB).  Address space only: pages that are not touched cost nothing.
constexpr size_t kStackBytes = size_t{64} << 20U;

}  // namespace

SqlParseThread::~SqlParseThread() {
  if (!started_) return;
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  pthread_join(thread_, nullptr);
}

bool SqlParseThread::run(const std::function<void()>& job) {
  if (!started_ && !start()) return false;
  std::unique_lock lock(mutex_);
  job_ = &job;
  changed_.notify_all();
  changed_.wait(lock, [this] { return job_ == nullptr; });
  return true;
}

bool SqlParseThread::start() {
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return false;
  const bool made = pthread_attr_setstacksize(&attributes, kStackBytes) == 0 &&
                    pthread_create(&thread_, &attributes, &SqlParseThread::entry, this) == 0;
  pthread_attr_destroy(&attributes);
  started_ = made;
  return made;
}

void* SqlParseThread::entry(void* self) {
  static_cast<SqlParseThread*>(self)->loop();
  return nullptr;
}

void SqlParseThread::loop() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stop_ || job_ != nullptr; });
    if (stop_) return;
    (*job_)();
    job_ = nullptr;
    changed_.notify_all();
  }
}

}  // namespace ectoscope
