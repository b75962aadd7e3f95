#include "outputs/work_lanes.h"

#include <utility>

namespace ectoscope {

void WorkLanes::start(size_t workers) {
  threads_.emplace_back([this] { run(lane(LaneKind::kUrgent)); });
  threads_.emplace_back([this] { run(lane(LaneKind::kPassword)); });
  for (size_t i = 0; i < workers; ++i)
    threads_.emplace_back([this] { run(lane(LaneKind::kUsual)); });
}

void WorkLanes::add(Job job, LaneKind kind) {
  Lane& lane = this->lane(kind);
  {
    const std::lock_guard lock(lane.changing);
    lane.jobs.push_back(std::move(job));
  }
  lane.changed.notify_one();
}

void WorkLanes::stop() {
  for (Lane& lane : lanes_) {
    const std::lock_guard lock(lane.changing);
    lane.stopping = true;
    lane.jobs.clear();
    lane.changed.notify_all();
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
