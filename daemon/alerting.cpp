#include "daemon/alerting.h"

#include <algorithm>
#include <utility>

#include "platform/curl_poster.h"

namespace ectoscope {
namespace {

constexpr Micros kDrain{5'000'000};

AlertingOptions options_of(const Config& config, std::string external_url) {
  const AlertingConfig& alerting = config.alerting();
  AlertingOptions options;
  options.rules.least = alerting.min_severity;
  options.rules.critical = {alerting.critical.begin(), alerting.critical.end()};
  options.rules.resend_interval = alerting.resend_interval;
  options.rules.external_url = std::move(external_url);
  while (options.rules.external_url.ends_with('/'))
    options.rules.external_url.pop_back();
  options.external_labels = alerting.external_labels;
  options.alertmanagers = alerting.alertmanagers;
  options.limits.queue = alerting.queue;
  options.limits.most_backoff = std::min(options.limits.most_backoff, alerting.resend_interval);
  return options;
}

}  // namespace

Alerting::Alerting(std::shared_ptr<const Config> config, std::string external_url,
                   const SnapshotBoard& board, const Clock& clock, OwnLog& log)
    : config_(std::move(config)),
      external_url_(std::move(external_url)),
      push_(board, clock, options_of(*config_, external_url_), &make_curl_poster,
            [&log](const std::string& url, const std::string& problem) {
              if (problem.empty())
                return log.info("an Alertmanager takes alerts again", {{"url", url}});
              log.warn("an Alertmanager takes no alerts; they are tried again",
                       {{"url", url}, {"problem", problem}});
            }) {}

void Alerting::stop() {
  push_.stop(kDrain);
}

std::shared_ptr<const AlertingState> Alerting::refresh(std::shared_ptr<const Config> config) {
  if (config != config_) {
    config_ = std::move(config);
    push_.reconfigure(options_of(*config_, external_url_));
  }
  return push_.state();
}

}  // namespace ectoscope
