#include "daemon/server_worker.h"

#include <algorithm>
#include <utility>

#include "detectors/registry.h"

namespace ectoscope {
namespace {

constexpr size_t kQueued = 8;  // batches: each at most about a block's executions
constexpr std::chrono::milliseconds kPatience{200};
constexpr Micros kPublishEvery{1'000'000};
constexpr Micros kCommitEvery{1'000'000};
constexpr size_t kExamples = 5;
constexpr size_t kOpenPositions = 500'000;  // in one checkpoint

TrackerLimits tracker_limits(const Config& config) {
  return {config.max_event_age(), config.state().keep};
}

}  // namespace

ServerWorker::ServerWorker(ServerConfig server, std::shared_ptr<const Config> config,
                           const Surroundings& around)
    : server_(std::move(server)),
      config_(std::move(config)),
      around_(around),
      routes_(config_->limits().routes),
      streams_(config_->limits().streams),
      statements_(server_.name, around_.queries),
      near_misses_(server_.name, around_.clock.wall()),
      ignored_(config_->ignore()),
      queue_(kQueued),
      view_(std::make_shared<ServerView>()) {
  statements_.database("");
  AnalysisWatchers watchers;
  watchers.clock = &around_.clock;
  watchers.near_misses = &near_misses_.book();
  if (!server_.postgres.dsn.empty()) {
    link_ = std::make_unique<ServerLink>(server_, around_.connect, around_.queries, around_.key,
                                         config_->limits());
    watchers.hooks = link_->hooks();
  }
  analysis_ =
      std::make_unique<Analysis>(*config_, Vocabulary{around_.queries, routes_, streams_},
                                 kExamples, std::move(watchers), Grouper::Judging::kEarlyToo);
  tracker_ = std::make_unique<FindingTracker>(analysis_->book(), statements_, around_.queries,
                                              tracker_limits(*config_));
  tracker_->set_owners(OwnerList(config_->owners()));
  analysis_->book().watch(
      {[this](const std::string& id, const Occurred& occurred) { tracker_->counted(id, occurred); },
       [this] { return tracker_->make_room(); }});
}

ServerWorker::~ServerWorker() {
  stop();
}

SourceSettings ServerWorker::settings_of(size_t source) const {
  SourceSettings settings;
  settings.number = static_cast<uint8_t>(source);
  settings.server = server_.name;
  settings.pattern = server_.logs[source];
  settings.format = server_.input.format;
  settings.parser.log_line_prefix = server_.input.log_line_prefix;
  settings.parser.timezone = server_.input.timezone;
  settings.parser.now = around_.clock.wall();
  settings.follow.pattern = server_.logs[source];
  settings.follow.from_end = server_.from_end && server_.logs[source] != "-";
  settings.follow.max_record_bytes = server_.input.max_record_bytes;
  settings.limits = config_->limits();
  settings.sql.max_statement_bytes = settings.limits.max_statement_bytes;
  settings.sql.tenant_schemas = server_.input.tenant_schemas;
  return settings;
}

void ServerWorker::restore() {
  StoredServer stored = around_.store.load(server_.name);
  renewals_ = around_.store.renewals();
  for (StoredStatement& statement : stored.statements)
    statements_.restore(std::move(statement));
  Routes routes(1);
  SqlShapes resolver(around_.queries, routes, around_.key);
  const ShapeTexts shapes{
      {}, [&resolver](const std::string& text) { return resolver.resolve(text).query; }};
  size_t unknown = stored.findings.size();
  for (const StoredFinding& finding : stored.findings) {
    for (const DetectorEntry& entry : detector_registry()) {
      if (entry.name == finding.kind && tracker_->restore(finding, entry, shapes, kExamples))
        --unknown;
    }
  }
  if (unknown > 0) {
    around_.log.warn("findings of another version of ectoscope cannot be shown",
                     {{"server", server_.name}, {"count", std::to_string(unknown)}});
  }
  for (const StoredHour& hour : stored.hours)
    tracker_->restore(hour);
  for (size_t i = 0; i < server_.logs.size(); ++i) {
    SourceCheckpoint before;
    for (const SourceCheckpoint& source : stored.sources) {
      if (source.pattern == server_.logs[i]) before = source;
    }
    before.pattern = server_.logs[i];
    sources_.emplace_back(before);
    readers_.push_back(std::make_unique<SourceReader>(around_.files, around_.queries, around_.key,
                                                      settings_of(i), resume_points(before)));
  }
}

void ServerWorker::start() {
  restore();
  for (const auto& reader : readers_) {
    threads_.emplace_back([this, reader = reader.get()](const std::stop_token& stop) {
      reader->run(stop, [this, &stop](std::unique_ptr<SourceBatch> batch) {
        return queue_.put(std::move(batch), stop);
      });
    });
  }
  if (link_) link_->start();
  threads_.emplace_back([this](const std::stop_token& stop) { analyse(stop); });
}

void ServerWorker::stop() {
  if (link_) link_->stop();
  for (std::jthread& thread : threads_)
    thread.request_stop();
  queue_.wake();
  if (threads_.empty()) return;
  threads_.clear();
  if (uncommitted_) commit();
}

void ServerWorker::acknowledge(const std::string& finding, const Acknowledgement& acknowledgement) {
  const std::lock_guard lock(mutex_);
  acknowledgements_[finding] = acknowledgement;
}

void ServerWorker::take_acknowledgements() {
  std::map<std::string, Acknowledgement> taken;
  {
    const std::lock_guard lock(mutex_);
    taken.swap(acknowledgements_);
  }
  for (const auto& [finding, acknowledgement] : taken) {
    tracker_->acknowledge(finding, acknowledgement);
    changed_ = true;
  }
}

/// What has to be read again after a kill, by source.
std::vector<SourceProgress::Unsettled> ServerWorker::unsettled() const {
  using Unsettled = SourceProgress::Unsettled;
  std::vector<Unsettled> unsettled(sources_.size());
  EventTime oldest = EventTime::max();
  const auto add = [&](std::vector<uint64_t> Unsettled::*list, uint64_t position, EventTime at) {
    (unsettled[LogPosition::source(position)].*list)
        .push_back(LogPosition::without_source(position));
    oldest = std::min(oldest, at);
  };
  analysis_->grouper().visit_open([&](const Execution& execution) {
    add(&Unsettled::open, execution.position, execution.started_at);
  });
  analysis_->grouper().visit_writes([&](const Execution& execution) {
    add(&Unsettled::writes, execution.position, execution.started_at);
  });
  analysis_->visit_waits([&](const Incident& incident, EventTime needed) {
    add(&Unsettled::incidents, incident.position, needed);
  });
  for (Unsettled& each : unsettled)
    each.needed = oldest;
  return unsettled;
}

std::vector<SourceCheckpoint> ServerWorker::checkpoints() {
  constexpr Micros kSlack{2'000'000};  // a plan comes this long after its execution, at most
  const Micros parents = config_->grouping().duration("chain_max_gap");
  std::vector<SourceProgress::Unsettled> all = unsettled();
  std::vector<SourceCheckpoint> checkpoints;
  for (size_t i = 0; i < sources_.size(); ++i) {
    SourceProgress::Unsettled& is = all[i];
    if (is.open.size() > kOpenPositions) {
      const size_t over = is.open.size() - kOpenPositions;
      out_of_reach_ += over;
      std::sort(is.open.begin(), is.open.end());
      is.open.erase(is.open.begin(), is.open.begin() + static_cast<std::ptrdiff_t>(over));
    }
    is.needed = std::min(is.needed, sources_[i].progress.oldest_held());
    if (sources_[i].newest != EventTime::min()) is.needed = std::min(is.needed, sources_[i].newest);
    is.needed -= kSlack + parents;
    checkpoints.push_back(sources_[i].progress.checkpoint(std::move(is)));
  }
  return checkpoints;
}

/// In one transaction: how far each log is counted, what is still open, what was found.
void ServerWorker::commit() {
  analysis_->book().settle_closed();
  StoredServer changes;
  changes.server = server_.name;
  changes.sources = checkpoints();
  if (const uint64_t renewals = around_.store.renewals(); renewals != renewals_) {
    renewals_ = renewals;
    tracker_->store_all_again();
    statements_.store_all_again();
  }
  tracker_->update(event_now_, around_.clock.wall());
  tracker_->store_changes(changes);
  statements_.store_changes(changes.statements);
  around_.store.commit(std::move(changes));
  committed_at_ = around_.clock.steady();
  uncommitted_ = false;
}

void ServerWorker::reconfigure(std::shared_ptr<const Config> config) {
  const std::lock_guard lock(mutex_);
  new_config_ = std::move(config);
}

std::shared_ptr<const ServerView> ServerWorker::view() const {
  const std::lock_guard lock(mutex_);
  return view_;
}

void ServerWorker::analyse(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (auto batch = queue_.take(kPatience)) take(**batch);
    take_samples();
    take_configuration();
    take_acknowledgements();
    if (ignored_.take_news()) changed_ = true;
    advance_event_time();
    if (uncommitted_ && around_.clock.steady() - committed_at_ >= kCommitEvery) commit();
    if (changed_ && around_.clock.steady() - published_at_ >= kPublishEvery) publish();
  }
}

void ServerWorker::take_configuration() {
  std::shared_ptr<const Config> config;
  {
    const std::lock_guard lock(mutex_);
    config = std::exchange(new_config_, nullptr);
  }
  if (!config) return;
  config_ = std::move(config);
  analysis_->reconfigure(*config_);
  tracker_->set_limits(tracker_limits(*config_));
  tracker_->set_owners(OwnerList(config_->owners()));
  ignored_.configure(config_->ignore());
  changed_ = true;
}

}  // namespace ectoscope
