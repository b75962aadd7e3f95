#include "daemon/source_reader.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "parsers/fidelity.h"

namespace ectoscope {
namespace {

constexpr Micros kTick{200'000};      // between two looks at a quiet log
constexpr Micros kDeliver{200'000};   // a batch is not kept for longer
constexpr size_t kExecutions = 4096;  // in one batch
constexpr uint64_t kMarkEvery = uint64_t{64} * 1024;
constexpr Micros kMarkTime{1'000'000};  // of event time

std::unique_ptr<LogParser> make_parser(const SourceSettings& settings) {
  if (const auto format = log_format_named(settings.format))
    return make_log_parser(*format, settings.parser);
  return make_log_parser(settings.parser);
}

/// Learns from records without keeping them.
class Listener final : public RecordHandler {
 public:
  void on_record(const LogRecord& /*record*/) override {}
  void on_late_part(const LogRecord& /*part*/) override {}
};

void sleep_for(Micros time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  stopped.wait_for(lock, stop, time, [] { return false; });
}

}  // namespace

SourceReader::SourceReader(LogFiles& files, QueryTable& queries, const HashKey& key,
                           SourceSettings settings, const std::vector<ResumePoint>& points)
    : settings_(std::move(settings)),
      routes_(settings_.limits.routes),
      streams_(settings_.limits.streams),
      shapes_(queries, routes_, key, settings_.sql),
      builder_(shapes_, queries, streams_, key, settings_.server,
               [this](std::span<const Execution> executions, std::span<const PlannedRun> plans) {
                 keep(executions, plans);
               }),
      parser_(make_parser(settings_)),
      follower_(files, settings_.follow, points),
      batch_(std::make_unique<SourceBatch>()) {
  builder_.send_incidents_to([this](const Incident& incident) {
    batch_->incidents.push_back({batch_->executions.size(), incident});
  });
}

void SourceReader::run(const std::stop_token& stop, const Deliver& deliver) {
  const auto start = Clock::now();
  const auto clock = [start] { return std::chrono::duration_cast<Micros>(Clock::now() - start); };
  Micros delivered{0};
  bool was_idle = false;
  while (!stop.stop_requested()) {
    const bool read = follower_.step(clock(), *this);
    const Micros now = clock();
    release_held(now);
    const bool due = now - delivered >= kDeliver ||
                     batch_->executions.size() + batch_->incidents.size() >= kExecutions;
    if (due || read == was_idle) {  // at each turn between reading and waiting, too
      if (!deliver_batch(!read, deliver)) return;
      delivered = now;
    }
    was_idle = !read;
    if (!read) sleep_for(kTick, stop);
  }
}

void SourceReader::keep(std::span<const Execution> executions, std::span<const PlannedRun> plans) {
  const size_t before = batch_->executions.size();
  batch_->executions.insert(batch_->executions.end(), executions.begin(), executions.end());
  for (const PlannedRun& plan : plans) {
    batch_->plans.push_back(plan);
    batch_->plans.back().at += before;
  }
}

void SourceReader::prime(std::string_view bytes) {
  Listener listener;
  parser_->parse(bytes, true, listener);
  parsed_ += bytes.size();
  primer_drops_ = parser_->drops();
  primer_records_ = parser_->records();
}

size_t SourceReader::consume(const FollowedFile& file, std::string_view bytes, bool last) {
  mark_time(file);
  // The parser counts from its first byte, whatever files its bytes came from.
  builder_.set_position_base(LogPosition::of(file.number, file.read_to) - parsed_);
  const size_t used = parser_->parse(bytes, last, *this);
  parsed_ += used;
  bytes_ += used;
  unmarked_ += used;
  return used;
}

void SourceReader::skipped(const FollowedFile& /*file*/, uint64_t bytes) {
  parser_->skipped(bytes);
  parsed_ += bytes;
  bytes_ += bytes;
}

void SourceReader::on_record(const LogRecord& record) {
  newest_ = std::max(newest_, record.at);
  builder_.on_record(record);
}

void SourceReader::mark_time(const FollowedFile& file) {
  const bool first = marked_ == EventTime::min() || batch_->marks.empty();
  const bool other_file = !first && batch_->marks.back().file != file.number;
  if (!first && !other_file && unmarked_ < kMarkEvery && newest_ - marked_ < kMarkTime) return;
  batch_->marks.push_back({file.number, file.read_to, newest_});
  marked_ = newest_;
  unmarked_ = 0;
}

void SourceReader::release_held(Micros now) {
  if (now - released_at_ < kTick) return;
  // What stood here at the last look had time enough to be completed by a plan or a DETAIL.
  builder_.hand_out(released_);
  released_ = builder_.built();
  released_at_ = now;
}

bool SourceReader::deliver_batch(bool idle, const Deliver& deliver) {
  SourceBatch& batch = *batch_;
  batch.source = settings_.number;
  for (; streams_sent_ < streams_.size(); ++streams_sent_)
    batch.streams.push_back(streams_[static_cast<StreamId>(streams_sent_)]);
  for (; routes_sent_ < routes_.size(); ++routes_sent_)
    batch.routes.push_back(routes_.whence(static_cast<uint32_t>(routes_sent_)));
  builder_.held(held_);
  batch.held = held_.positions;
  batch.oldest_held = held_.oldest;
  batch.oldest_complete = held_.oldest_complete;
  batch.files = follower_.files();
  batch.status = follower_.status();
  batch.bytes = bytes_;
  batch.records = parser_->records() - primer_records_;
  count_drops(batch.drops);
  batch.fidelity = judge_fidelity(builder_.fidelity());
  note_unread(batch.drops, batch.records, batch.fidelity);
  batch.newest = newest_;
  batch.idle = idle;
  return deliver(std::exchange(batch_, std::make_unique<SourceBatch>()));
}

void SourceReader::count_drops(DropCounts& drops) const {
  for (const DropCounts* counts : {&parser_->drops(), &builder_.counts(), &shapes_.counts()}) {
    for (const auto& [reason, count] : *counts)
      drops[reason] += count;
  }
  for (const auto& [reason, count] : primer_drops_)
    drops[reason] -= count;
  drops["streams_full"] += streams_.overflowed();
  drops["routes_full"] += routes_.overflowed();
  drops["log_cut"] += follower_.losses();
  std::erase_if(drops, [](const auto& drop) { return drop.second == 0; });
}

}  // namespace ectoscope
