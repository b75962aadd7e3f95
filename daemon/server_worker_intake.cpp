// What ServerWorker takes in: from the logs' readers and from the server itself.
#include <algorithm>
#include <utility>

#include "daemon/server_worker.h"

namespace ectoscope {

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
  auto incident = batch.incidents.begin();
  auto plan = batch.plans.begin();
  for (size_t i = 0; i < batch.executions.size(); ++i) {
    for (; incident != batch.incidents.end() && incident->before <= i; ++incident)
      sort_out_incident(source, batch.source, *incident);
    Execution& execution = batch.executions[i];
    const SourceProgress::Fate fate = source.progress.fate(execution.position);
    const bool ours = execution.query != kNoQuery && source.wanted[execution.stream];
    const bool wanted = ours && !execution.has(Execution::kIgnored);
    const bool fresh = wanted && !fate.counted;
    if (ours && !wanted && !fate.counted)
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
    } else {
      analyse_again(execution, fate.awaits);
    }
  }
  for (; incident != batch.incidents.end(); ++incident)
    sort_out_incident(source, batch.source, *incident);
}

void ServerWorker::sort_out_incident(Source& source, uint8_t number, BatchIncident held) {
  Incident& incident = held.incident;
  if (!source.wanted[incident.stream] || source.progress.fate(incident.position).counted) return;
  incident.position = LogPosition::with_source(incident.position, number);
  incident.stream = source.streams[incident.stream];
  incident.route = source.routes[incident.route];
  held.before = fresh_.size();
  fresh_incidents_.push_back(held);
}

/// After what stands before it in the log.
void ServerWorker::analyse_again(Execution execution, Grouper::Awaits awaits) {
  analyse_fresh();
  analysis_->add_again(execution, awaits);
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
  if (!fresh_.empty() || !fresh_incidents_.empty()) changed_ = uncommitted_ = true;
  fresh_.clear();
  fresh_plans_.clear();
  fresh_incidents_.clear();
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
  // An ignored statement can come alone: built at one look at the log, handed out at the next.
  const bool more = !batch.executions.empty() || source.bytes != batch.bytes ||
                    source.records != batch.records || source.drops != batch.drops ||
                    source.idle != batch.idle || source.status != batch.status;
  changed_ = changed_ || more;
  uncommitted_ = uncommitted_ || more;
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
  analysis_->advance(std::min(event_now_, coming));
  const bool news = analysis_->judgements() != judged;
  changed_ = changed_ || news;
  uncommitted_ = uncommitted_ || news;
}

}  // namespace ectoscope
