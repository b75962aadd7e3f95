#include "daemon/serve.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <string>
#include <unistd.h>

#include "daemon/alerting.h"
#include "daemon/commands.h"
#include "daemon/daemon.h"
#include "daemon/exit_status.h"
#include "daemon/load_config.h"
#include "daemon/stored_deploys.h"
#include "daemon/version.h"
#include "daemon/web_config_file.h"
#include "outputs/http_server.h"
#include "platform/posix_files.h"
#include "platform/posix_log_files.h"
#include "platform/service_manager.h"
#include "platform/standard_input.h"
#include "platform/system_clock.h"

namespace ectoscope {
namespace {

int fail(int status, const std::string& message) {
  std::fprintf(stderr, "ectoscope serve: %s\n", message.c_str());
  return status;
}

sigset_t our_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP})
    sigaddset(&set, signal);
  return set;
}

HttpOptions http_options(const Config& config, const ServeArguments& arguments) {
  HttpOptions options;
  options.listen_addresses = {arguments.listen_address.empty() ? config.listen_address()
                                                               : arguments.listen_address};
  options.enable_lifecycle = arguments.enable_lifecycle;
  options.trace_url = config.trace_url();
  options.series_budget = config.series_budget();
  options.version = kVersion;
  return options;
}

/// The signal that came, or 0 when none did for so long.
int wait_for_signal(const sigset_t& set, long milliseconds) {
  const timespec patience{milliseconds / 1000, milliseconds % 1000 * 1'000'000};
  const int signal = sigtimedwait(&set, nullptr, &patience);
  return signal < 0 ? 0 : signal;
}

bool reads_standard_input(const Config& config) {
  return std::any_of(config.servers().begin(), config.servers().end(),
                     [](const auto& server) { return server.reads_standard_input(); });
}

void write_line(std::string_view line) {
  // A line at a time, so that lines of several processes don't mix.
  const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
  static_cast<void>(written);  // there is nowhere else to tell it
}

/// Where people reach the pages.
std::string external_url(const Config& config, const ServeArguments& arguments,
                         const HttpServer& http) {
  if (!arguments.external_url.empty()) return arguments.external_url;
  return config.external_url().empty() ? http.url() : config.external_url();
}

void tell_doubt(const WebConfigFile& web, const Clock& clock, OwnLog& log) {
  if (const auto doubt = certificate_doubt(web.protection(), clock.wall()))
    log.warn("the web configuration", {{"problem", *doubt}});
}

/// Uses what changed of the web configuration, and tells of it.
void refresh(WebConfigFile& web, HttpServer& http, const Clock& clock, OwnLog& log) {
  if (!web.refresh()) return;
  if (!web.problem().empty()) {
    log.error("the web configuration is bad; the old one stays", {{"problem", web.problem()}});
    return;
  }
  http.protect(web.protection().access, web.protection().tls);
  log.info("the web configuration was read again");
  tell_doubt(web, clock, log);
}

std::string status_of(const Snapshot& snapshot) {
  const auto active = std::count_if(snapshot.findings.begin(), snapshot.findings.end(),
                                    [](const auto& tracked) { return tracked->active; });
  return "findings: " + std::to_string(active) +
         ", sources: " + std::to_string(snapshot.sources.size()) +
         ", problems: " + std::to_string(snapshot.problems.size());
}

/// Reads the configuration again, and lets systemd know how long that takes.
void reload(Daemon& daemon, const ServiceManager& manager) {
  manager.reloading();
  daemon.reload();
  manager.ready();
}

void run(Daemon& daemon, const sigset_t& signals, OwnLog& log, const Clock& clock,
         const std::function<void()>& publish) {
  constexpr long kFirst = 20;  // milliseconds: ready as soon as each log was looked at
  constexpr long kPublishEvery = 1000;
  ServiceManager manager = ServiceManager::from_environment();
  std::string status;
  bool was_ready = false;
  for (;;) {
    const bool ready = daemon.board().latest()->ready;
    if (ready && !was_ready) {
      log.info("ready");
      manager.ready();
    }
    was_ready = ready;
    manager.keep_alive(clock.steady());
    if (std::string now = status_of(*daemon.board().latest()); now != status)
      manager.status(status = std::move(now));
    const int signal = wait_for_signal(signals, ready ? kPublishEvery : kFirst);
    if (signal == SIGTERM || signal == SIGINT) return manager.stopping();
    if (signal == SIGHUP) reload(daemon, manager);
    publish();
  }
}

}  // namespace

void block_signals() {
  const sigset_t set = our_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a file-size limit is a full disk, not the end
}

int serve(Config config, const ServeArguments& arguments,
          const std::function<void(const std::string& url)>& started) {
  const auto files = make_posix_files();
  const auto files_on_disk = make_posix_log_files();
  const auto log_files = with_standard_input(*files_on_disk, STDIN_FILENO);
  const auto clock = make_system_clock();
  OwnLog log(*clock, arguments.log_format, arguments.log_level, &write_line);
  WebConfigFile web(*files, arguments.web_config_file);
  if (const auto error = web.load()) {
    std::fprintf(stderr, "%s\n", error->message.c_str());
    return kExitUsage;
  }
  tell_doubt(web, *clock, log);
  HttpOptions options = http_options(config, arguments);
  Store store(config.state().directory, config.state().keep, *clock,
              [&log](const std::string& what) {
                log.warn("the store", {{"what", what}});
              });
  if (store.in_use()) return fail(kExitInput, store.problem());
  Daemon daemon({*files, *log_files, *clock, log, store, &connect_postgres}, std::move(config),
                arguments.config_file);
  StoredDeploys deploys(store, *clock);
  options.deploys = &deploys;
  HttpServer http(options, daemon.board(), daemon);
  http.protect(web.protection().access, web.protection().tls);
  if (const auto error = http.start()) return fail(kExitInput, error->message);
  Alerting alerting(daemon.config(), external_url(*daemon.config(), arguments, http),
                    daemon.board(), *clock, log);
  daemon.start();
  alerting.start();
  log.info("started", {{"config", arguments.config_file}, {"url", http.url()}});
  if (reads_standard_input(*daemon.config())) {
    log.info("standard input is read as it comes; what is written while ectoscope is down is lost");
  }
  started(http.url());
  run(daemon, our_signals(), log, *clock, [&] {
    refresh(web, http, *clock, log);
    std::vector<std::string> problems;
    if (!web.problem().empty()) problems.push_back(web.problem());
    daemon.publish(std::move(problems), alerting.refresh(daemon.config()));
  });
  http.stop();
  daemon.stop();
  if (!store.flush()) log.error("not all is stored", {{"problem", store.problem()}});
  alerting.stop();
  log.info("stopped");
  return kExitDone;
}

int run_serve(const ServeArguments& arguments) {
  const auto files = make_posix_files();
  auto config = load_config(*files, arguments.config_file);
  if (!config.ok()) {
    std::fprintf(stderr, "%s\n", config.error().message.c_str());
    return kExitUsage;
  }
  if (config.value().servers().empty()) {
    return fail(kExitUsage, arguments.config_file +
                                ": servers: none; name at least one, with its logs (ectoscope "
                                "check config --print-example)");
  }
  block_signals();
  return serve(std::move(config.value()), arguments, [](const std::string& /*url*/) {});
}

}  // namespace ectoscope
