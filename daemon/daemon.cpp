#include "daemon/daemon.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "config/consequence.h"
#include "core/alerting_state.h"
#include "daemon/hash_key.h"
#include "daemon/load_config.h"

namespace ectoscope {
namespace {

/// What differs of the settings that are used at a start only: a list for people.
std::string waits_for_start(const Config& runs, const Config& now) {
  std::string names;
  const auto add = [&names](std::string_view name, bool differs) {
    if (differs) names.append(names.empty() ? "" : ", ").append(name);
  };
  add("limits.shapes", runs.limits().shapes != now.limits().shapes);
  add("state.directory", runs.state().directory != now.state().directory);
  add("state.keep", runs.state().keep != now.state().keep);
  add("web.listen_address", runs.listen_address() != now.listen_address());
  add("web.trace_url", runs.trace_url() != now.trace_url());
  add("web.external_url", runs.external_url() != now.external_url());
  add("web.series_budget", runs.series_budget() != now.series_budget());
  return names;
}

}  // namespace

Daemon::Daemon(const DaemonSeams& seams, Config config, std::string config_file)
    : seams_(seams),
      config_file_(std::move(config_file)),
      key_(draw_key()),
      queries_(std::make_unique<QueryTable>(config.limits().shapes)),
      config_(std::make_shared<const Config>(std::move(config))),
      page_ignores_(seams.files, config_->state().directory),
      reloaded_at_(seams.clock.wall()) {}

Daemon::~Daemon() {
  stop();
}

std::shared_ptr<const Config> Daemon::config() const {
  const std::lock_guard lock(mutex_);
  return config_;
}

std::unique_ptr<ServerWorker> Daemon::make_worker(const ServerConfig& server) {
  auto worker =
      std::make_unique<ServerWorker>(server, config_,
                                     Surroundings{seams_.log_files, seams_.clock, *queries_, key_,
                                                  seams_.log, seams_.store, seams_.connect});
  worker->ignore_also(page_ignores_.rules());
  return worker;
}

void Daemon::start() {
  const std::lock_guard lock(mutex_);
  for (const ServerConfig& server : config_->servers()) {
    workers_.push_back(make_worker(server));
    workers_.back()->start();
  }
}

void Daemon::stop() {
  const std::lock_guard lock(mutex_);
  for (const auto& worker : workers_)
    worker->stop();
}

/// They hold nothing that the log would not say again.
void Daemon::restart_workers() {
  const std::lock_guard lock(mutex_);
  workers_.clear();
  seams_.store.take_up();
  for (const ServerConfig& server : config_->servers()) {
    workers_.push_back(make_worker(server));
    workers_.back()->start();
  }
}

void Daemon::publish(std::vector<std::string> problems,
                     std::shared_ptr<const AlertingState> alerting) {
  seams_.store.retry();
  if (seams_.store.found_late()) restart_workers();
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->taken_at = seams_.clock.wall();
  snapshot->ready = true;
  snapshot->problems = std::move(problems);
  show_workers(*snapshot);
  snapshot->deploys = seams_.store.deploys();
  snapshot->store_problem = seams_.store.problem();
  if (!snapshot->store_problem.empty()) snapshot->problems.push_back(snapshot->store_problem);
  for (const SourceState& source : snapshot->sources) {
    if (!source.problem.empty()) snapshot->problems.push_back(source.problem);
  }
  if (alerting) {
    for (const AlertmanagerState& alertmanager : alerting->alertmanagers) {
      if (!alertmanager.up)
        snapshot->problems.push_back("no alerts get through: " + alertmanager.problem);
    }
  }
  snapshot->alerting = std::move(alerting);
  std::sort(snapshot->findings.begin(), snapshot->findings.end(),
            [](const auto& left, const auto& right) {
              const Finding& a = left->finding;
              const Finding& b = right->finding;
              return std::tie(b.saved, b.database_time, a.id) <
                     std::tie(a.saved, a.database_time, b.id);
            });
  std::sort(
      snapshot->queries.begin(), snapshot->queries.end(), [](const auto& left, const auto& right) {
        return std::tie(right->durations.sum_seconds, left->server, left->database,
                        left->query.text) < std::tie(left->durations.sum_seconds, right->server,
                                                     right->database, right->query.text);
      });
  board_.publish(std::move(snapshot));
}

void Daemon::show_workers(Snapshot& snapshot) {
  const std::lock_guard lock(mutex_);
  if (!page_ignores_.problem().empty()) snapshot.problems.push_back(page_ignores_.problem());
  snapshot.last_reload_ok = reload_problem_.empty();
  snapshot.last_reload_at = reloaded_at_;
  if (!reload_problem_.empty()) snapshot.problems.push_back(reload_problem_);
  for (const auto& worker : workers_) {
    const auto view = worker->view();
    snapshot.ready = snapshot.ready && view->tried;
    snapshot.findings.insert(snapshot.findings.end(), view->findings.begin(), view->findings.end());
    snapshot.queries.insert(snapshot.queries.end(), view->queries.begin(), view->queries.end());
    snapshot.sources.insert(snapshot.sources.end(), view->sources.begin(), view->sources.end());
    snapshot.servers.push_back(view->state);
    snapshot.servers.back().server = worker->server().name;
  }
}

std::optional<std::string> Daemon::reload() {
  const std::lock_guard lock(reloading_);
  if (config_file_.empty()) return "there is no configuration file to read again";
  std::optional<std::string> problem;
  auto loaded = load_config(seams_.files, config_file_);
  if (!loaded.ok()) {
    problem = loaded.error().message;
  } else if (loaded.value().servers().empty()) {
    problem = config_file_ + ": servers: none is left; the daemon needs one";
  } else {
    take_over(std::make_shared<const Config>(std::move(loaded.value())));
  }
  const std::lock_guard state(mutex_);
  reload_problem_.clear();
  if (problem) {
    reload_problem_ = "the configuration could not be read again and the old one goes on: " +
                      problem->substr(0, problem->find('\n')) + "; ectoscope check config " +
                      config_file_ + " tells it all";
    problem = with_consequence(std::move(*problem), kRunningStays);
    seams_.log.error("the configuration is bad", {{"problem", *problem}});
  } else {
    reloaded_at_ = seams_.clock.wall();
    seams_.log.info("the configuration was read again", {{"file", config_file_}});
  }
  return problem;
}

void Daemon::take_over(std::shared_ptr<const Config> config) {
  const std::lock_guard lock(mutex_);
  const std::shared_ptr<const Config> old = std::exchange(config_, std::move(config));
  if (const std::string names = waits_for_start(*old, *config_); !names.empty())
    seams_.log.warn("settings that take effect at the next start only", {{"changed", names}});
  // A server goes on as it is where nothing but detectors changed.
  const bool same_limits =
      old->limits() == config_->limits() && old->grouping() == config_->grouping();
  std::vector<std::unique_ptr<ServerWorker>> workers;
  for (const ServerConfig& server : config_->servers()) {
    const auto known = std::find_if(workers_.begin(), workers_.end(), [&](const auto& worker) {
      return worker && same_limits && worker->server() == server;
    });
    if (known == workers_.end()) {
      workers.push_back(nullptr);
      continue;
    }
    (*known)->reconfigure(config_);
    workers.push_back(std::move(*known));
  }
  workers_.clear();  // the others stop, and have committed, before their successors begin
  for (size_t i = 0; i < workers.size(); ++i) {
    if (workers[i]) continue;
    workers[i] = make_worker(config_->servers()[i]);
    workers[i]->start();
  }
  workers_ = std::move(workers);
}

bool Daemon::acknowledge(const std::string& finding_id, const std::string& by,
                         const std::string& why) {
  const auto snapshot = board_.latest();
  const auto known =
      std::find_if(snapshot->findings.begin(), snapshot->findings.end(),
                   [&](const auto& tracked) { return tracked->finding.id == finding_id; });
  if (known == snapshot->findings.end()) return false;
  const Acknowledgement acknowledgement{seams_.clock.wall(), by, why};
  seams_.store.acknowledge(finding_id, acknowledgement);
  const std::lock_guard lock(mutex_);
  for (const auto& worker : workers_) {
    if (worker->server().name == (*known)->finding.server)
      worker->acknowledge(finding_id, acknowledgement);
  }
  return true;
}

void Daemon::spread_ignores() {
  for (const auto& worker : workers_)
    worker->ignore_also(page_ignores_.rules());
}

Result<bool> Daemon::ignore(const std::string& finding_id, const std::string& by,
                            const std::string& why) {
  const auto snapshot = board_.latest();
  if (std::none_of(snapshot->findings.begin(), snapshot->findings.end(),
                   [&](const auto& tracked) { return tracked->finding.id == finding_id; })) {
    return false;
  }
  const std::lock_guard lock(mutex_);
  if (const auto error = page_ignores_.add(finding_id, by, why)) return *error;
  spread_ignores();
  return true;
}

Result<bool> Daemon::hear_again(const std::string& finding_id) {
  const std::lock_guard lock(mutex_);
  auto removed = page_ignores_.remove(finding_id);
  if (removed.ok() && removed.value()) spread_ignores();
  return removed;
}

NearlyFound Daemon::nearly_found() {
  NearlyFound all;
  const std::lock_guard lock(mutex_);
  for (const DetectorConfig& detector : config_->detectors()) {
    if (detector.enabled) all.kinds.push_back(detector.name);
  }
  all.since = seams_.clock.wall();
  for (const auto& worker : workers_) {
    const auto view = worker->view();
    if (!view->nearly_found) continue;
    all.since = std::min(all.since, view->nearly_found->since);
    all.misses.insert(all.misses.end(), view->nearly_found->misses.begin(),
                      view->nearly_found->misses.end());
  }
  return all;
}

std::vector<Control::HistoryHour> Daemon::history(const std::string& finding_id) {
  std::vector<HistoryHour> history;
  for (const StoredHour& hour : seams_.store.hours(finding_id))
    history.push_back({hour.hour, hour.occurrences, hour.database_time});
  return history;
}

}  // namespace ectoscope
