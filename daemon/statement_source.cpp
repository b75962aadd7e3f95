#include "daemon/statement_source.h"

#include <functional>
#include <iterator>

namespace ectoscope {
namespace {

constexpr size_t kMaxPolls = 8;  // that wait to be taken
constexpr size_t kMaxQueryids = 100'000;

}  // namespace

StatementSource::StatementSource(Settings settings, std::unique_ptr<Database> database,
                                 QueryTable& queries, const HashKey& key)
    : queries_(queries),
      database_(std::move(database)),
      shapes_(queries, routes_, key, settings.sql),
      poller_(
          *database_, [this](std::string_view sql) { return shapes_.resolve(sql).query; },
          settings.polls) {
  state_.server = std::move(settings.server);
  state_.name = "pg_stat_statements";
}

StatementSource::~StatementSource() {
  stop();
}

void StatementSource::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void StatementSource::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  database_->interrupt();
  thread_.join();
}

void StatementSource::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    StatementPoll poll = poller_.poll();
    if (stop.stop_requested()) return;
    const auto next = poll.next;
    std::unique_lock lock(mutex_);
    note(std::move(poll));
    taken_.wait_for(lock, stop, next, [] { return false; });
    taken_.wait(lock, stop, [this] { return polls_.size() < kMaxPolls; });
  }
}

/// The log has literals where pg_stat_statements has parameters: two shapes here, one statement.
size_t StatementSource::shape_of(QueryId query) const {
  return std::hash<std::string>{}(queries_[query].canonical);
}

/// With the lock held.
void StatementSource::note(StatementPoll poll) {
  ++news_;
  state_.up = poll.up;
  state_.problem = poll.problem;
  if (poll.at) state_.last_event = poll.at;
  for (const auto& [reason, count] : poll.dropped)
    dropped_[reason] += count;
  for (const DatabaseSamples& samples : poll.databases) {
    for (const StatementSample& sample : samples.samples) {
      const auto key = std::pair(samples.database, shape_of(sample.query));
      if (queryids_.size() < kMaxQueryids || queryids_.contains(key)) {
        queryids_[key] = sample.queryid;
      }
    }
  }
  if (!poll.databases.empty()) polls_.push_back(std::move(poll));
}

std::vector<StatementPoll> StatementSource::take() {
  const std::lock_guard lock(mutex_);
  std::vector<StatementPoll> polls(std::make_move_iterator(polls_.begin()),
                                   std::make_move_iterator(polls_.end()));
  polls_.clear();
  taken_.notify_all();
  return polls;
}

SourceState StatementSource::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

uint64_t StatementSource::news() const {
  const std::lock_guard lock(mutex_);
  return news_;
}

std::map<std::string, uint64_t> StatementSource::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

std::optional<int64_t> StatementSource::queryid(QueryId query, const std::string& database) const {
  const std::lock_guard lock(mutex_);
  const auto found = queryids_.find({database, shape_of(query)});
  return found == queryids_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace ectoscope
