#include "outputs/work_lanes.h"

#include <utility>

namespace ectoscope {

void WorkLanes::start(size_t workers) {
  threads_.emplace_back([this] { run(urgent_); });
  for (size_t i = 0; i < workers; ++i)
    threads_.emplace_back([this] { run(usual_); });
}

void WorkLanes::add(Job job, bool urgent) {
  Lane& lane = urgent ? urgent_ : usual_;
  {
    const std::lock_guard lock(lane.changing);
    lane.jobs.push_back(std::move(job));
  }
  lane.changed.notify_one();
}

void WorkLanes::stop() {
  for (Lane* lane : {&urgent_, &usual_}) {
    const std::lock_guard lock(lane->changing);
    lane->stopping = true;
    lane->jobs.clear();
    lane->changed.notify_all();
  }
  for (std::thread& thread : threads_)
    thread.join();
  threads_.clear();
}

void WorkLanes::run(Lane& lane) {
  std::unique_lock lock(lane.changing);
  while (true) {
    lane.changed.wait(lock, [&lane] { return lane.stopping || !lane.jobs.empty(); });
    if (lane.stopping) return;
    const Job job = std::move(lane.jobs.front());
    lane.jobs.pop_front();
    lock.unlock();
    job();
    lock.lock();
  }
}

}  // namespace ectoscope
