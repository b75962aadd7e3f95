#include "daemon/analysis.h"

#include <algorithm>
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

FindingHooks or_default(FindingHooks hooks) {
  if (!hooks.advise) {
    hooks.advise = [](const AdviceRequest& request, const std::string& /*database*/) {
      return advise(request);
    };
  }
  return hooks;
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
  /// `index` is the detector's in the registry and in the configuration.  `earlier` gives up the
  /// detectors whose settings are the same; may be null.
  Judge(const DetectorEntry& entry, const Config& config, size_t index, Analysis& analysis,
        Judge* earlier)
      : entry_(entry), analysis_(analysis) {
    add_settings(config.detectors()[index], earlier);
    for (const OverrideConfig& override_config : config.overrides())
      add_settings(override_config.detectors[index], earlier);
    if (earlier != nullptr) spent_ = earlier->spent_;
  }

  /// `settings` is what OverrideSelector says.
  void judge(const Execution& execution, const Query& query, size_t settings) {
    if (by_settings_[settings] == nullptr) return;
    execution_ = &execution;
    measured([&] { by_settings_[settings]->on_execution(execution, query, *this); });
    execution_ = nullptr;
  }

  void judge(const PlannedRun& run, const Query& query, size_t settings) {
    if (by_settings_[settings] == nullptr) return;
    execution_ = &run.execution;
    measured([&] { by_settings_[settings]->on_plan(run.plan, run.execution, query, *this); });
    execution_ = nullptr;
  }

  void judge(const Trace& trace, size_t settings) {
    if (by_settings_[settings] == nullptr) return;
    trace_ = &trace;
    measured([&] { by_settings_[settings]->on_trace(trace, analysis_.words_.queries, *this); });
    trace_ = nullptr;
  }

  void judge(const Incident& incident, size_t settings) {
    if (by_settings_[settings] == nullptr) return;
    incident_ = &incident;
    measured(
        [&] { by_settings_[settings]->on_incident(incident, analysis_.words_.queries, *this); });
    incident_ = nullptr;
  }

  /// All see all samples, which are judged by what they are to each other; of each shape that one
  /// is heard whose settings are the shape's.
  void judge(std::span<const StatementSample> samples, const Stream& stream) {
    sampled_ = &stream;
    for (const auto& detector : detectors_) {
      sampling_ = detector.get();
      measured([&] { detector->on_samples(samples, analysis_.words_.queries, *this); });
    }
    sampled_ = nullptr;
  }

  void add(Observation observation) override {
    if (sampled_ != nullptr) {
      if (!hears(observation.query)) return;
      // `repeats` make one occurrence of the kind.
      const uint64_t count = observation.statements / std::max<uint64_t>(1, observation.repeats);
      analysis_.book_.add_sampled(entry_, std::move(observation), count, *sampled_);
      return;
    }
    const Routes& routes = analysis_.words_.routes;
    const std::string& place = routes.whence(whence_of(observation.query)).place;
    analysis_.book_.add(entry_, std::move(observation),
                        {trace_, execution_, stream(), routes[route()], place});
  }

  void amend(const Amendment& amendment) override {
    analysis_.book_.amend(entry_, amendment, stream());
  }

  void near_miss(const NearMiss& miss) override {
    if (analysis_.watchers_.near_misses == nullptr) return;
    if (sampled_ != nullptr && !hears(miss.query)) return;
    analysis_.watchers_.near_misses->add(entry_.name, stream().database, miss);
  }

  [[nodiscard]] const DetectorEntry& entry() const { return entry_; }
  [[nodiscard]] Micros spent() const { return spent_; }

 private:
  /// Of samples.
  [[nodiscard]] bool hears(QueryId query) const {
    return by_settings_[analysis_.overrides_->number_of_sample(query, sampled_->database)] ==
           sampling_;
  }

  // Of what is being judged: one of the four.
  [[nodiscard]] const Stream& stream() const {
    if (sampled_ != nullptr) return *sampled_;
    const StreamId id = trace_ != nullptr      ? trace_->stream
                        : incident_ != nullptr ? incident_->stream
                                               : execution_->stream;
    return analysis_.words_.streams[id];
  }
  [[nodiscard]] uint32_t route() const {
    if (trace_ != nullptr) return trace_->route;
    return incident_ != nullptr ? incident_->route : execution_->route;
  }

  // What the comment of the statement at fault said; another statement's line would mislead.
  [[nodiscard]] uint32_t whence_of(QueryId query) const {
    if (incident_ != nullptr) return incident_->route;
    if (trace_ == nullptr) return execution_->route;
    for (const Execution& execution : trace_->executions) {
      if (execution.query == query && execution.route != 0) return execution.route;
    }
    return 0;
  }

  // Equal settings are one detector, so that what it remembers is whole.
  void add_settings(const DetectorConfig& settings, Judge* earlier) {
    Detector* detector = nullptr;
    for (size_t i = 0; settings.enabled && i < options_.size() && detector == nullptr; ++i) {
      if (options_[i] == settings.options) detector = detectors_[i].get();
    }
    if (settings.enabled && detector == nullptr) {
      options_.push_back(settings.options);
      detectors_.push_back(earlier != nullptr ? earlier->give(settings.options) : nullptr);
      if (!detectors_.back()) detectors_.back() = entry_.make(settings.options);
      detector = detectors_.back().get();
    }
    by_settings_.push_back(detector);
  }

  /// The detector with these options, for good; null when there is none.
  std::unique_ptr<Detector> give(const Options& options) {
    for (size_t i = 0; i < options_.size(); ++i) {
      if (options_[i] == options) return std::move(detectors_[i]);
    }
    return nullptr;
  }

  template <typename Call>
  void measured(Call&& call) {
    const Clock* clock = analysis_.watchers_.clock;
    if (clock == nullptr || ++calls_ % kSampled != 0) return call();
    const Micros start = clock->steady();
    call();
    spent_ += (clock->steady() - start) * kSampled;
  }

  const DetectorEntry& entry_;
  Analysis& analysis_;
  std::vector<Options> options_;
  std::vector<std::unique_ptr<Detector>> detectors_;  // one for each of options_
  std::vector<Detector*> by_settings_;                // null: switched off
  const Execution* execution_ = nullptr;
  const Trace* trace_ = nullptr;
  const Stream* sampled_ = nullptr;
  const Detector* sampling_ = nullptr;  // the one that is being asked about samples
  uint32_t calls_ = 0;
  Micros spent_{0};
  const Incident* incident_ = nullptr;
};

Analysis::Analysis(const Config& config, const Vocabulary& words, size_t examples,
                   AnalysisWatchers watchers, Grouper::Judging judging)
    : words_(words),
      watchers_(std::move(watchers)),
      config_(config),
      book_(words.queries, finding_limits(config, examples), or_default(watchers_.hooks)),
      linker_(words.queries, [this](const Incident& incident) { on_incident(incident); }),
      temp_files_([this](const Incident& incident) { on_incident(incident); }) {
  reconfigure(config);
  grouper_ = std::make_unique<Grouper>(
      words_.queries, config.grouping(), [this](const Trace& trace) { on_trace(trace); }, judging);
}

void Analysis::reconfigure(const Config& config) {
  config_ = config;
  overrides_ =
      std::make_unique<OverrideSelector>(config_.overrides(), words_.streams, words_.routes);
  const auto earlier = std::exchange(judges_, {});
  of_executions_.clear();
  of_traces_.clear();
  of_incidents_.clear();
  of_samples_.clear();
  const auto registry = detector_registry();  // in the order of config.detectors()
  for (size_t i = 0; i < registry.size(); ++i) {
    judges_.push_back(std::make_unique<Judge>(registry[i], config_, i, *this,
                                              earlier.empty() ? nullptr : earlier[i].get()));
    Judge* const judge = judges_.back().get();
    if ((registry[i].hears & kHearsExecutions) != 0) of_executions_.push_back(judge);
    if ((registry[i].hears & kHearsTraces) != 0) of_traces_.push_back(judge);
    if ((registry[i].hears & kHearsIncidents) != 0) of_incidents_.push_back(judge);
    if ((registry[i].hears & kHearsSamples) != 0) of_samples_.push_back(judge);
  }
}

std::map<std::string, double> Analysis::detector_seconds() const {
  constexpr double kMicros = 1e6;
  std::map<std::string, double> seconds;
  for (const auto& judge : judges_)
    seconds.emplace(judge->entry().name, static_cast<double>(judge->spent().count()) / kMicros);
  return seconds;
}

Analysis::~Analysis() = default;

void Analysis::judge_plan(const PlannedRun& run) {
  const Query& query = words_.queries[run.execution.query];
  if (query.system) return;
  const size_t settings = overrides_->number_of(run.execution.stream, run.execution.route);
  for (const auto& judge : judges_)
    judge->judge(run, query, settings);
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
    const size_t settings = overrides_->number_of(execution);
    for (Judge* judge : of_executions_)
      judge->judge(execution, query, settings);
    if (watchers_.growth != nullptr) watchers_.growth->add(execution);
  }
  linker_.add(executions);
  temp_files_.add(executions);
  if (!executions.empty()) grouper_->add(executions);
}

void Analysis::add(const Incident& incident) {
  incident.kind == IncidentKind::kTempFile ? temp_files_.add(incident) : linker_.add(incident);
}

void Analysis::add_samples(const std::string& server, const DatabaseSamples& samples) {
  Stream stream;
  stream.server = server;
  stream.database = samples.database;
  for (Judge* judge : of_samples_)
    judge->judge(samples.samples, stream);
}

void Analysis::on_trace(const Trace& trace) {
  ++judgements_;
  book_.begin_judgement(trace);
  const size_t settings = overrides_->number_of(trace.stream, trace.route);
  for (Judge* judge : of_traces_)
    judge->judge(trace, settings);
  if (watchers_.growth != nullptr) watchers_.growth->add(trace);
}

void Analysis::on_incident(const Incident& incident) {
  ++judgements_;
  const size_t settings = overrides_->number_of(incident.stream, incident.route);
  for (Judge* judge : of_incidents_)
    judge->judge(incident, settings);
}

void Analysis::finish() {
  linker_.finish();
  temp_files_.finish();
  grouper_->finish();
}

}  // namespace ectoscope
