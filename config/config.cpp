#include "config/config.h"

#include "config/alerting_settings.h"
#include "config/settings.h"
#include "config/values.h"

namespace ectoscope {
namespace {

double fallback_of(std::span<const OptionSpec> specs, std::string_view key) {
  return Options(specs).ratio(key);
}

size_t size_fallback(std::span<const OptionSpec> specs, std::string_view key) {
  return static_cast<size_t>(fallback_of(specs, key));
}

}  // namespace

Config::Config(const SettingsTables& tables)
    : server_(server_setting().fallback), grouping_(tables.grouping) {
  input_.format = input_texts()[0].fallback;
  input_.log_line_prefix = input_texts()[1].fallback;
  input_.timezone = input_texts()[2].fallback;
  input_.tenant_schemas = {std::string(tenant_schema_setting().fallback)};
  input_.max_record_bytes = size_fallback(input_numbers(), "max_record_bytes");
  state_.directory = state_directory_setting().fallback;
  state_.keep = Micros(static_cast<int64_t>(state_keep_setting().fallback));
  listen_address_ = listen_address_setting().fallback;
  trace_url_ = trace_url_setting().fallback;
  external_url_ = external_url_setting().fallback;
  series_budget_ = static_cast<size_t>(series_budget_setting().fallback);
  max_event_age_ = Micros(static_cast<int64_t>(max_event_age_setting().fallback));
  alerting_ = default_alerting();
  limits_.shapes = size_fallback(limit_numbers(), "shapes");
  limits_.routes = size_fallback(limit_numbers(), "routes");
  limits_.streams = size_fallback(limit_numbers(), "streams");
  limits_.findings = size_fallback(limit_numbers(), "findings");
  limits_.max_statement_bytes = size_fallback(limit_numbers(), "max_statement_bytes");
  for (const DetectorSettings& detector : tables.detectors) {
    detectors_.push_back(
        {std::string(detector.name), enabled_setting().fallback != 0, Options(detector.options)});
  }
}

Config Config::defaults(const SettingsTables& tables) {
  return Config(tables);
}

}  // namespace ectoscope
