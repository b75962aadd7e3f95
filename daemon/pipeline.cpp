#include "daemon/pipeline.h"

#include <algorithm>
#include <utility>

#include "daemon/hash_key.h"

namespace ectoscope {
namespace {

SqlSettings sql_settings(const Config& config) {
  SqlSettings settings;
  settings.max_statement_bytes = config.limits().max_statement_bytes;
  settings.tenant_schemas = config.input().tenant_schemas;
  return settings;
}

}  // namespace

Pipeline::Pipeline(const Config& config, ExecutionFilter filter, PipelineExtras extras)
    : filter_(std::move(filter)),
      key_(draw_key()),
      queries_(config.limits().shapes),
      routes_(config.limits().routes),
      streams_(config.limits().streams),
      shapes_(queries_, routes_, key_, sql_settings(config)),
      near_misses_(extras.near_misses ? std::make_unique<NearMissBook>() : nullptr),
      growth_(extras.growth ? std::make_unique<GrowthCounter>(queries_, streams_) : nullptr),
      analysis_(config, {queries_, routes_, streams_}, extras.examples,
                {near_misses_.get(), growth_.get()}) {
  builder_ = std::make_unique<ExecutionBuilder>(
      shapes_, queries_, streams_, key_, config.server(),
      [this](std::span<const Execution> executions, std::span<const PlannedRun> plans) {
        on_executions(executions, plans);
      });
  builder_->send_incidents_to([this](const Incident& incident) {
    if (wanted(incident)) analysis_.add(incident);
  });
}

Pipeline::~Pipeline() = default;

void Pipeline::file_ended(const LogParser& parser, uint64_t bytes) {
  facts_.bytes += bytes;
  facts_.records += parser.records();
  add_drops(parser.drops());
}

AnalysisReport Pipeline::finish() {
  builder_->flush();
  analysis_.finish();
  add_drops(builder_->counts());
  add_drops(shapes_.counts());
  if (streams_.overflowed() > 0) facts_.unparsed["streams_full"] += streams_.overflowed();
  if (routes_.overflowed() > 0) facts_.unparsed["routes_full"] += routes_.overflowed();
  if (analysis_.book().dropped() > 0) {
    facts_.unparsed["findings_full"] += analysis_.book().dropped();
  }
  for (const GroupedBy rung : {GroupedBy::kTraceparent, GroupedBy::kTag, GroupedBy::kTransaction,
                               GroupedBy::kChain, GroupedBy::kNone}) {
    facts_.traces += analysis_.grouper().traces(rung);
  }
  facts_.fidelity = judge_fidelity(builder_->fidelity());
  note_unread({facts_.unparsed.begin(), facts_.unparsed.end()}, facts_.records, facts_.fidelity);
  return {facts_, analysis_.book().findings(), {}, {}, {}};
}

std::set<std::string> Pipeline::databases() const {
  std::set<std::string> names;
  for (StreamId stream = 0; stream < streams_.size(); ++stream)
    names.insert(streams_[stream].database);
  return names;
}

void Pipeline::on_executions(std::span<const Execution> executions,
                             std::span<const PlannedRun> plans) {
  const auto out = std::find_if_not(executions.begin(), executions.end(),
                                    [this](const Execution& it) { return to_judge(it); });
  if (out != executions.end()) {
    leave_out(executions, plans, static_cast<size_t>(out - executions.begin()));
    executions = wanted_;
    plans = wanted_plans_;
  }
  facts_.statements += executions.size();
  analysis_.add(executions, plans);
}

/// Copies what is to be judged; `first_out` is the first that is not.
void Pipeline::leave_out(std::span<const Execution> executions, std::span<const PlannedRun> plans,
                         size_t first_out) {
  wanted_.clear();
  wanted_plans_.clear();
  auto plan = plans.begin();
  for (size_t i = 0; i < executions.size(); ++i) {
    const bool take = i < first_out || (i > first_out && to_judge(executions[i]));
    for (; plan != plans.end() && plan->at == i; ++plan) {
      if (take) wanted_plans_.push_back({wanted_.size(), plan->execution, plan->plan});
    }
    if (take) wanted_.push_back(executions[i]);
  }
}

bool Pipeline::to_judge(const Execution& execution) {
  if (!wanted(execution)) return false;
  facts_.last_event = std::max(facts_.last_event.value_or(EventTime::min()), execution.ended_at);
  if (!execution.has(Execution::kIgnored)) return true;
  ignored_.add(execution, streams_[execution.stream].database);
  return false;
}

bool Pipeline::wanted(const Execution& execution) const {
  if (execution.query == kNoQuery) return false;
  if (filter_.since && execution.started_at < *filter_.since) return false;
  if (filter_.until && execution.started_at >= *filter_.until) return false;
  return !filter_.database || streams_[execution.stream].database == *filter_.database;
}

bool Pipeline::wanted(const Incident& incident) const {
  if (filter_.since && incident.at < *filter_.since) return false;
  if (filter_.until && incident.at >= *filter_.until) return false;
  return !filter_.database || streams_[incident.stream].database == *filter_.database;
}

void Pipeline::add_drops(const DropCounts& drops) {
  for (const auto& [reason, count] : drops) {
    if (count > 0) facts_.unparsed[reason] += count;
  }
}

}  // namespace ectoscope
