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
constexpr size_t kShownQueries = 1000;
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
  for (const StoredFinding& finding : stored.findings) {
    for (const DetectorEntry& entry : detector_registry()) {
      if (entry.name == finding.kind) tracker_->restore(finding, entry, shapes, kExamples);
    }
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

std::vector<SourceCheckpoint> ServerWorker::checkpoints() {
  constexpr Micros kSlack{2'000'000};  // a plan comes this long after its execution, at most
  std::vector<std::vector<uint64_t>> open(sources_.size());
  EventTime oldest = EventTime::max();
  analysis_->grouper().visit_open([&](const Execution& execution) {
    open[LogPosition::source(execution.position)].push_back(
        LogPosition::without_source(execution.position));
    oldest = std::min(oldest, execution.started_at);
  });
  const Micros parents = config_->grouping().duration("chain_max_gap");
  std::vector<SourceCheckpoint> checkpoints;
  for (size_t i = 0; i < sources_.size(); ++i) {
    std::sort(open[i].begin(), open[i].end());
    if (open[i].size() > kOpenPositions) {
      const size_t over = open[i].size() - kOpenPositions;
      out_of_reach_ += over;
      open[i].erase(open[i].begin(), open[i].begin() + static_cast<std::ptrdiff_t>(over));
    }
    EventTime needed = std::min(oldest, sources_[i].progress.oldest_held());
    if (sources_[i].newest != EventTime::min()) needed = std::min(needed, sources_[i].newest);
    checkpoints.push_back(sources_[i].progress.checkpoint(open[i], needed - kSlack - parents));
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

void ServerWorker::take_samples() {
  if (!link_) return;
  const auto log =
      sources_.empty() ? InputFidelity::Statements::kNone : sources_.front().fidelity.statements;
  for (const DatabaseSamples& samples : link_->take(log)) {
    count_samples(samples, log);
    analysis_->add_samples(server_.name, samples);
    uncommitted_ = true;
  }
  const uint64_t news = link_->news();
  if (news == link_news_) return;
  link_news_ = news;
  changed_ = true;
  tracker_->advise_again();
  const auto state = link_->state();
  if (!state || state->problem == link_told_) return;
  link_told_ = state->problem;
  if (link_told_.empty()) {
    around_.log.info("the server answers", {{"server", server_.name}});
  } else {
    around_.log.warn("the server cannot be asked",
                     {{"problem", link_told_}, {"server", server_.name}});
  }
}

/// Where no log tells of the statements, these are all that is known of them.
void ServerWorker::count_samples(const DatabaseSamples& samples, InputFidelity::Statements log) {
  if (log != InputFidelity::Statements::kNone) return;
  const uint32_t database = statements_.database(samples.database);
  for (const StatementSample& sample : samples.samples) {
    statements_.add(database, sample.query, sample.mean_time(), sample.calls);
    if (sources_.empty()) event_now_ = std::max(event_now_, sample.to);
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
  ignored_.configure(config_->ignore());
  changed_ = true;
}

void ServerWorker::learn_names(Source& source, const SourceBatch& batch) {
  for (const Stream& stream : batch.streams) {
    LogRecord record;
    record.database = stream.database;
    record.user = stream.user;
    record.application = stream.application;
    record.client_host = stream.client_host;
    source.streams.push_back(streams_.intern(stream.server, record));
    source.databases.push_back(statements_.database(stream.database));
    source.wanted.push_back(server_.databases.empty() ||
                            std::find(server_.databases.begin(), server_.databases.end(),
                                      stream.database) != server_.databases.end());
  }
  for (const Whence& whence : batch.routes)
    source.routes.push_back(routes_.intern(whence.route, whence.tag, whence.place));
}

/// Counts what was never counted, and gives it our numbers, into fresh_.
void ServerWorker::sort_out(Source& source, SourceBatch& batch) {
  fresh_.clear();
  fresh_plans_.clear();
  fresh_incidents_.clear();
  auto incident = batch.incidents.begin();
  auto plan = batch.plans.begin();
  for (size_t i = 0; i < batch.executions.size(); ++i) {
    for (; incident != batch.incidents.end() && incident->before <= i; ++incident)
      sort_out_incident(source, *incident);
    Execution& execution = batch.executions[i];
    const SourceProgress::Fate fate = source.progress.fate(execution.position);
    const bool ours = execution.query != kNoQuery && source.wanted[execution.stream];
    const bool wanted = ours && !execution.has(Execution::kIgnored);
    const bool fresh = wanted && fate == SourceProgress::Fate::kNew;
    if (ours && !wanted && fate == SourceProgress::Fate::kNew)
      ignored_.add(execution, streams_[source.streams[execution.stream]].database);
    for (; plan != batch.plans.end() && plan->at == i; ++plan) {
      if (!fresh) continue;
      renumber(source, batch.source, plan->execution);
      fresh_plans_.push_back({fresh_.size(), plan->execution, std::move(plan->plan)});
    }
    if (!wanted) continue;
    if (fresh)
      statements_.add(source.databases[execution.stream], execution.query, execution.duration);
    renumber(source, batch.source, execution);
    if (fresh) {
      fresh_.push_back(execution);
    } else if (fate == SourceProgress::Fate::kOpen) {
      analysis_->add_again(execution);
    } else {
      analysis_->grouper().note(execution);
    }
  }
  for (; incident != batch.incidents.end(); ++incident)
    sort_out_incident(source, *incident);
}

void ServerWorker::sort_out_incident(Source& source, BatchIncident held) {
  Incident& incident = held.incident;
  if (!source.wanted[incident.stream] ||
      source.progress.fate(incident.position) != SourceProgress::Fate::kNew) {
    return;
  }
  incident.stream = source.streams[incident.stream];
  incident.route = source.routes[incident.route];
  held.before = fresh_.size();
  fresh_incidents_.push_back(held);
}

/// Executions and incidents in the order of the log.
void ServerWorker::analyse_fresh() {
  size_t done = 0;
  auto plan = fresh_plans_.begin();
  const auto add_until = [&](size_t end) {
    part_plans_.clear();
    for (; plan != fresh_plans_.end() && plan->at < end; ++plan) {
      part_plans_.push_back(std::move(*plan));
      part_plans_.back().at -= done;
    }
    analysis_->add(std::span(fresh_).subspan(done, end - done), part_plans_);
    done = end;
  };
  for (const BatchIncident& held : fresh_incidents_) {
    if (held.before > done) add_until(held.before);
    analysis_->add(held.incident);
  }
  add_until(fresh_.size());
}

void ServerWorker::renumber(const Source& source, uint8_t number, Execution& execution) {
  execution.position = LogPosition::with_source(execution.position, number);
  execution.stream = source.streams[execution.stream];
  execution.route = source.routes[execution.route];
}

void ServerWorker::take(SourceBatch& batch) {
  Source& source = sources_[batch.source];
  learn_names(source, batch);
  sort_out(source, batch);
  analyse_fresh();
  source.progress.take(batch);
  const bool more = source.bytes != batch.bytes || source.status.tried != batch.status.tried ||
                    source.status.problem != batch.status.problem ||
                    source.status.path != batch.status.path;
  const bool fresh = !fresh_.empty() || !fresh_incidents_.empty();
  changed_ = changed_ || more || fresh;
  uncommitted_ = uncommitted_ || more || fresh;
  source.status = std::move(batch.status);
  source.bytes = batch.bytes;
  source.records = batch.records;
  source.drops = std::move(batch.drops);
  source.fidelity = std::move(batch.fidelity);
  source.idle = batch.idle;
  source.oldest_complete = batch.oldest_complete;
  if (batch.newest > source.newest) {
    source.newest = batch.newest;
    event_read_at_ = around_.clock.steady();
  }
  tell_problem(source);
}

void ServerWorker::tell_problem(Source& source) {
  const std::string& problem = source.status.problem;
  if (problem == source.told) return;
  if (problem.empty()) {
    around_.log.info("the log can be read again", {{"path", source.status.path}});
  } else {
    around_.log.warn("a log cannot be read", {{"problem", problem}, {"server", server_.name}});
  }
  source.told = problem;
}

/// On a quiet log event time goes on with the wall's.
void ServerWorker::advance_event_time() {
  EventTime newest = EventTime::min();
  EventTime coming = EventTime::max();  // it must not run ahead of these
  bool quiet = true;
  for (const Source& source : sources_) {
    quiet = quiet && source.idle;
    coming = std::min(coming, source.oldest_complete);
    newest = std::max(newest, source.newest);
  }
  if (newest == EventTime::min()) return;
  if (quiet) newest += around_.clock.steady() - event_read_at_;
  event_now_ = std::max(event_now_, newest);
  if (!quiet) return;
  const uint64_t judged = analysis_->judgements();
  analysis_->grouper().advance(std::min(event_now_, coming));
  const bool news = analysis_->judgements() != judged;
  changed_ = changed_ || news;
  uncommitted_ = uncommitted_ || news;
}

SourceState ServerWorker::describe(const Source& source) const {
  SourceState state;
  state.server = server_.name;
  state.name = source.status.path;
  state.up = source.status.tried && source.status.problem.empty();
  state.problem = source.status.problem;
  state.position = source.status.position;
  state.size = source.status.size;
  if (source.newest != EventTime::min()) state.last_event = source.newest;
  return state;
}

std::map<std::string, uint64_t> ServerWorker::dropped() const {
  std::map<std::string, uint64_t> dropped;
  const auto add = [&dropped](const std::string& reason, uint64_t count) {
    if (count > 0) dropped[reason] += count;
  };
  for (const Source& source : sources_) {
    for (const auto& [reason, count] : source.drops)
      add(reason, count);
    add("lost_in_restart", source.progress.lost());
  }
  if (link_) {
    for (const auto& [reason, count] : link_->dropped())
      add(reason, count);
  }
  add("findings_full", analysis_->book().dropped());
  add("open_too_many", out_of_reach_);
  return dropped;
}

ServerState ServerWorker::describe() const {
  ServerState state;
  state.server = server_.name;
  state.up = true;
  EventTime newest = EventTime::min();
  bool behind = false;
  for (const Source& source : sources_) {
    state.up = state.up && source.status.tried && source.status.problem.empty();
    state.bytes += source.bytes;
    state.records += source.records;
    newest = std::max(newest, source.newest);
    behind = behind || !source.idle || source.status.behind;
  }
  if (link_) {
    if (const auto asked = link_->state()) state.up = state.up && asked->up;
  }
  if (behind && newest != EventTime::min()) {
    const Micros lag = around_.clock.wall() - newest;
    state.lag_seconds = std::max(0.0, static_cast<double>(lag.count()) / 1e6);
  }
  state.dropped = dropped();
  for (size_t rung = 0; rung < state.traces.size(); ++rung)
    state.traces[rung] = analysis_->grouper().traces(static_cast<GroupedBy>(rung));
  state.open_traces = analysis_->grouper().open_traces();
  state.statements = statements_.counts();
  state.detector_seconds = analysis_->detector_seconds();
  state.occurrences = tracker_->occurrences();
  state.excess_statements = tracker_->excess_statements();
  state.excess_seconds = static_cast<double>(tracker_->excess().count()) / 1e6;
  if (!sources_.empty()) state.fidelity = sources_.front().fidelity;
  return state;
}

void ServerWorker::publish() {
  auto view = std::make_shared<ServerView>();
  tracker_->update(event_now_, around_.clock.wall());
  view->findings = tracker_->findings();
  view->queries = statements_.heaviest(kShownQueries);
  view->tried = true;
  for (const Source& source : sources_) {
    view->tried = view->tried && source.status.tried;
    view->sources.push_back(describe(source));
  }
  if (link_) {
    view->tried = view->tried && link_->tried();
    if (auto state = link_->state()) view->sources.push_back(std::move(*state));
  }
  view->state = describe();
  ignored_.hide(view->findings, view->state, around_.queries, around_.clock.wall());
  view->nearly_found =
      near_misses_.shown(around_.queries, around_.clock.steady(), around_.clock.wall());
  published_at_ = around_.clock.steady();
  changed_ = false;
  const std::lock_guard lock(mutex_);
  view_ = std::move(view);
}

}  // namespace ectoscope
