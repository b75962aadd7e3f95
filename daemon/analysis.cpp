#include "daemon/analysis.h"

#include <utility>

#include "advice/ecto_fix.h"
#include "detectors/registry.h"

namespace ectoscope {
namespace {

FindingLimits finding_limits(const Config& config, size_t examples) {
  FindingLimits limits;
  limits.findings = config.limits().findings;
  limits.examples = examples;
  return limits;
}

FindingHooks hooks() {
  return {.advise = [](const AdviceRequest& request) { return advise(request); }, .queryid = {}};
}

}  // namespace

const SettingsTables& settings_tables() {
  static const SettingsTables kTables = [] {
    SettingsTables tables;
    tables.grouping = grouping_options();
    for (const DetectorEntry& entry : detector_registry())
      tables.detectors.push_back({entry.name, entry.title, entry.options});
    return tables;
  }();
  return kTables;
}

class Analysis::Judge final : public Report {
 public:
  Judge(const DetectorEntry& entry, const Options& options, Analysis& analysis)
      : entry_(entry), analysis_(analysis), detector_(entry.make(options)) {}

  void judge(const Execution& execution, const Query& query) {
    execution_ = &execution;
    detector_->on_execution(execution, query, *this);
    execution_ = nullptr;
  }

  void judge(const PlannedRun& run, const Query& query) {
    execution_ = &run.execution;
    detector_->on_plan(run.plan, run.execution, query, *this);
    execution_ = nullptr;
  }

  void judge(const Trace& trace) {
    trace_ = &trace;
    detector_->on_trace(trace, analysis_.words_.queries, *this);
    trace_ = nullptr;
  }

  void add(Observation observation) override {
    const StreamId stream = trace_ != nullptr ? trace_->stream : execution_->stream;
    const uint32_t route = trace_ != nullptr ? trace_->route : execution_->route;
    const Routes& routes = analysis_.words_.routes;
    const std::string& place = routes.whence(whence_of(observation.query)).place;
    analysis_.book_.add(entry_, std::move(observation), trace_, execution_,
                        analysis_.words_.streams[stream], routes[route], place);
  }

 private:
  // What the comment of the statement at fault said; another statement's line would mislead.
  [[nodiscard]] uint32_t whence_of(QueryId query) const {
    if (trace_ == nullptr) return execution_->route;
    for (const Execution& execution : trace_->executions) {
      if (execution.query == query && execution.route != 0) return execution.route;
    }
    return 0;
  }

  const DetectorEntry& entry_;
  Analysis& analysis_;
  std::unique_ptr<Detector> detector_;
  const Execution* execution_ = nullptr;
  const Trace* trace_ = nullptr;
};

Analysis::Analysis(const Config& config, const Vocabulary& words, size_t examples)
    : words_(words), book_(words.queries, finding_limits(config, examples), hooks()) {
  const auto registry = detector_registry();  // in the order of config.detectors()
  for (size_t i = 0; i < registry.size(); ++i) {
    const DetectorConfig& settings = config.detectors()[i];
    if (!settings.enabled) continue;
    judges_.push_back(std::make_unique<Judge>(registry[i], settings.options, *this));
  }
  grouper_ = std::make_unique<Grouper>(words_.queries, config.grouping(),
                                       [this](const Trace& trace) { on_trace(trace); });
}

Analysis::~Analysis() = default;

void Analysis::judge_plan(const PlannedRun& run) {
  const Query& query = words_.queries[run.execution.query];
  if (query.system) return;
  for (const auto& judge : judges_)
    judge->judge(run, query);
}

void Analysis::add(std::span<const Execution> executions, std::span<const PlannedRun> plans) {
  auto plan = plans.begin();
  for (size_t i = 0; i < executions.size(); ++i) {
    for (; plan != plans.end() && plan->at == i; ++plan)
      judge_plan(*plan);
    const Execution& execution = executions[i];
    const Query& query = words_.queries[execution.query];
    // A system query that is slow is slow; a tool's catalog read that only its plan shows is noise.
    if (query.system && execution.has(Execution::kPlanOnly)) continue;
    for (const auto& judge : judges_)
      judge->judge(execution, query);
  }
  if (!executions.empty()) grouper_->add(executions);
}

void Analysis::on_trace(const Trace& trace) {
  book_.begin_judgement(trace);
  for (const auto& judge : judges_)
    judge->judge(trace);
}

}  // namespace ectoscope
