#include "daemon/pipeline.h"

#include <stdexcept>
#include <sys/random.h>
#include <utility>

#include "advice/ecto_fix.h"
#include "detectors/registry.h"

namespace ectoscope {
namespace {

/// Drawn once a process: hashes of values mean nothing outside of it.
HashKey draw_key() {
  HashKey key;
  // Up to 256 bytes come at once and whole, once the kernel's pool is ready.
  if (getrandom(&key, sizeof key, 0) != sizeof key) throw std::runtime_error("no random numbers");
  return key;
}

SqlLimits sql_limits(const Config& config) {
  SqlLimits limits;
  limits.max_statement_bytes = config.limits().max_statement_bytes;
  return limits;
}

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

class Pipeline::Judge final : public Report {
 public:
  Judge(const DetectorEntry& entry, const Options& options, Pipeline& pipeline)
      : entry_(entry), pipeline_(pipeline), detector_(entry.make(options)) {}

  void judge(const Execution& execution, const Query& query) {
    execution_ = &execution;
    detector_->on_execution(execution, query, *this);
    execution_ = nullptr;
  }

  void judge(const Trace& trace) {
    trace_ = &trace;
    detector_->on_trace(trace, pipeline_.queries_, *this);
    trace_ = nullptr;
  }

  void add(Observation observation) override {
    const StreamId stream = trace_ != nullptr ? trace_->stream : execution_->stream;
    const uint32_t route = trace_ != nullptr ? trace_->route : execution_->route;
    pipeline_.book_.add(entry_, std::move(observation), trace_, execution_,
                        pipeline_.streams_[stream], pipeline_.routes_[route]);
  }

 private:
  const DetectorEntry& entry_;
  Pipeline& pipeline_;
  std::unique_ptr<Detector> detector_;
  const Execution* execution_ = nullptr;
  const Trace* trace_ = nullptr;
};

Pipeline::Pipeline(const Config& config, ExecutionFilter filter, size_t examples)
    : filter_(std::move(filter)),
      key_(draw_key()),
      queries_(config.limits().shapes),
      routes_(config.limits().routes),
      streams_(config.limits().streams),
      shapes_(queries_, routes_, key_, sql_limits(config)),
      book_(queries_, finding_limits(config, examples), hooks()) {
  const auto registry = detector_registry();  // in the order of config.detectors()
  for (size_t i = 0; i < registry.size(); ++i) {
    const DetectorConfig& settings = config.detectors()[i];
    if (!settings.enabled) continue;
    judges_.push_back(std::make_unique<Judge>(registry[i], settings.options, *this));
  }
  grouper_ = std::make_unique<Grouper>(queries_, config.grouping(),
                                       [this](const Trace& trace) { on_trace(trace); });
  builder_ = std::make_unique<ExecutionBuilder>(
      shapes_, queries_, streams_, key_, config.server(),
      [this](std::span<const Execution> executions) { on_executions(executions); });
}

Pipeline::~Pipeline() = default;

void Pipeline::file_ended(const LogParser& parser, uint64_t bytes) {
  facts_.bytes += bytes;
  facts_.records += parser.records();
  add_drops(parser.drops());
}

AnalysisReport Pipeline::finish() {
  builder_->flush();
  grouper_->finish();
  add_drops(builder_->counts());
  add_drops(shapes_.counts());
  if (streams_.overflowed() > 0) facts_.unparsed["streams_full"] += streams_.overflowed();
  if (routes_.overflowed() > 0) facts_.unparsed["routes_full"] += routes_.overflowed();
  if (book_.dropped() > 0) facts_.unparsed["findings_full"] += book_.dropped();
  for (const GroupedBy rung : {GroupedBy::kTraceparent, GroupedBy::kTag, GroupedBy::kTransaction,
                               GroupedBy::kChain, GroupedBy::kNone}) {
    facts_.traces += grouper_->traces(rung);
  }
  facts_.fidelity = judge_fidelity(builder_->fidelity());
  return {facts_, book_.findings()};
}

void Pipeline::on_executions(std::span<const Execution> executions) {
  wanted_.clear();
  for (const Execution& execution : executions) {
    if (!wanted(execution)) continue;
    wanted_.push_back(execution);
    const Query& query = queries_[execution.query];
    // A system query that is slow is slow; a tool's catalog read that only its plan shows is noise.
    if (query.system && execution.has(Execution::kPlanOnly)) continue;
    for (const auto& judge : judges_)
      judge->judge(execution, query);
  }
  facts_.statements += wanted_.size();
  if (!wanted_.empty()) grouper_->add(wanted_);
}

void Pipeline::on_trace(const Trace& trace) {
  book_.begin_judgement(trace);
  for (const auto& judge : judges_)
    judge->judge(trace);
}

bool Pipeline::wanted(const Execution& execution) const {
  if (execution.query == kNoQuery || execution.has(Execution::kIgnored)) return false;
  if (filter_.since && execution.started_at < *filter_.since) return false;
  if (filter_.until && execution.started_at >= *filter_.until) return false;
  return !filter_.database || streams_[execution.stream].database == *filter_.database;
}

void Pipeline::add_drops(const DropCounts& drops) {
  for (const auto& [reason, count] : drops) {
    if (count > 0) facts_.unparsed[reason] += count;
  }
}

}  // namespace ectoscope
