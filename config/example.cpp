// The example file, written from the same tables that the loader checks against.
#include "config/alerting_settings.h"
#include "config/config.h"
#include "config/postgres_settings.h"
#include "config/settings.h"
#include "config/values.h"

namespace ectoscope {
namespace {

constexpr size_t kWidth = 100;

/// `text` as comment lines at `indent`, broken at blanks; `inner` blanks more stand behind the '#'.
void comment(std::string_view text, size_t indent, std::string& out, size_t inner = 0) {
  const std::string start = std::string(indent, ' ') + "#" + std::string(inner, ' ');
  size_t column = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    if (column != 0 && column + 1 + word.size() > kWidth) {
      out += '\n';
      column = 0;
    }
    if (column == 0) {
      out += start;
      column = start.size();
    }
    out += ' ';
    out += word;
    column += 1 + word.size();
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  out += '\n';
}

void number(const OptionSpec& spec, size_t indent, std::string& out) {
  comment(std::string(spec.help), indent, out);
  comment("Default " + show_value(spec.type, spec.fallback) + "; " + show_allowed(spec) + ".",
          indent, out);
  out += std::string(indent, ' ') + std::string(spec.key) + ": " +
         show_value(spec.type, spec.fallback) + "\n";
}

void text(const TextSpec& spec, size_t indent, std::string& out) {
  comment(std::string(spec.help), indent, out);
  comment("Default " + (spec.fallback.empty() ? "empty" : std::string(spec.fallback)) + "; " +
              std::string(spec.allowed) + ".",
          indent, out);
  const std::string value = spec.fallback.empty() ? "\"\"" : std::string(spec.fallback);
  out += std::string(indent, ' ') + std::string(spec.key) + ": " + value + "\n";
}

constexpr std::string_view kSuppressions = R"(
# Findings that are known and left alone: still counted and listed, but in no gate and no alert.  The
# same list may stand in .ectoscope.yaml in the application's repository (docs/ignore.md).  A rule
# has a reason, and one or more of id, kind, table, route and fingerprint, all of which must fit; in
# table and route * stands for any text.  After the day in `expires` it hides nothing any more.
#   - id: n_plus_one_read-5f0c2a9e7d3b1c44
#     reason: five plans at most, shown to admins only
#     owner: billing
#     expires: 2027-03-31
#   - {kind: slow_query, route: "ReportController.*", reason: reports may take their time}
ignore: []

# Other settings for some of the traffic; the first that matches decides, and what it does not name
# is as under `detectors:`.  Matched are application, database, user, route and tag, the comment's key
# that named the route (controller, job, worker, live_view ...).  What pg_stat_statements counts of a
# shape is judged as the log's latest execution of it; where the log shows none, by `database` alone.
#   - match: {tag: job}
#     detectors: {n_plus_one_read: {min_repeats: 100}, n_plus_one_write: {enabled: false}}
overrides: []

# Whose findings are: `team` on findings, metrics and alerts.  The first rule decides of which all of
# table, route and application fit; in them * stands for any text.
#   - {table: "invoice*", team: billing}
#   - {route: "CheckoutController.*", team: checkout}
#   - {application: backoffice, team: internal-tools}
owners: []
)";
/// A server in comments: none is watched by default.
void server_example(std::string& out) {
  const auto line = [&out](const TextSpec& spec, std::string_view start, std::string_view value) {
    comment(spec.help, 0, out, 4);
    out += "#" + std::string(start) + std::string(spec.key) + ": " + std::string(value) + "\n";
  };
  line(server_name_setting(), " - ", "main");
  line(log_pattern_setting(), "   ", "[/var/log/postgresql/*.log*]");
  line(start_at_setting(), "   ", start_at_setting().fallback);
  line(database_name_setting(), "   ", "[]");
  out += "#   postgres:\n";
  line(dsn_setting(), "     ", "host=/run/postgresql dbname=shop user=ectoscope");
  for (const OptionSpec& spec : postgres_numbers()) {
    comment(spec.help, 0, out, 6);
    out += "#     " + std::string(spec.key) + ": " + show_value(spec.type, spec.fallback) + "\n";
  }
}

/// Alertmanagers in comments: nobody is told by default.
void alerting_example(std::string& out) {
  out +=
      "\n# Alertmanagers that are told of findings which are active, unless they come from an old "
      "log.\nalerting:\n  alertmanagers: []\n";
  std::string_view start = "- ";
  for (const TextSpec& spec : alertmanager_texts()) {
    comment(spec.help, 2, out, 4);
    out += "  # " + std::string(start) + std::string(spec.key) + ": " +
           (spec.key == "url" ? "http://127.0.0.1:9093" : "\"\"") + "\n";
    start = "  ";
  }
  for (const OptionSpec& spec : alertmanager_numbers()) {
    comment(spec.help, 2, out, 4);
    out += "  #   " + std::string(spec.key) + ": " + show_value(spec.type, spec.fallback) + "\n";
  }
  text(min_severity_setting(), 2, out);
  comment(critical_setting().help, 2, out);
  out += "  critical: []\n";
  comment(external_label_setting().help, 2, out);
  out += "  external_labels: {}\n";
  for (const OptionSpec& spec : alerting_numbers())
    number(spec, 2, out);
}

void detectors_example(const SettingsTables& tables, std::string& out) {
  out += "\n# What is looked for; each has a page in docs/detectors/.\ndetectors:";
  out += tables.detectors.empty() ? " {}\n" : "\n";
  bool first = true;
  for (const DetectorSettings& detector : tables.detectors) {
    if (!first) out += "\n";
    first = false;
    comment(std::string(detector.title) + ".", 2, out);
    out += "  " + std::string(detector.name) + ":\n";
    number(enabled_setting(), 4, out);
    for (const OptionSpec& spec : detector.options)
      number(spec, 4, out);
  }
}

}  // namespace

std::string render_example(const SettingsTables& tables) {
  std::string out =
      "# ectoscope's configuration: every setting with its default.  All of them may be left out.\n"
      "#\n"
      "# `ectoscope check config FILE` finds what is wrong with a file; a test keeps this one "
      "equal\n"
      "# to what `ectoscope check config --print-example` writes.\n\n";
  text(server_setting(), 0, out);
  out +=
      "\n# How a log is read: by `analyze`, and by `serve` where a server does not say "
      "otherwise.\ninput:\n";
  for (const TextSpec& spec : input_texts())
    text(spec, 2, out);
  const TextSpec& tenants = tenant_schema_setting();
  comment(tenants.help, 2, out);
  comment("A list, each " + std::string(tenants.allowed) + ".", 2, out);
  out += "  " + std::string(tenants.key) + ": [" + std::string(tenants.fallback) + "]\n";
  for (const OptionSpec& spec : input_numbers())
    number(spec, 2, out);
  out +=
      "\n# The servers that `serve` watches.  Each takes the settings of `input` too.\n"
      "# A value may hold ${NAME}, the environment's; $$ is a dollar sign.\n"
      "servers: []\n";
  server_example(out);
  out += "\nstate:\n";
  text(state_directory_setting(), 2, out);
  number(state_keep_setting(), 2, out);
  out += "\nweb:\n";
  text(listen_address_setting(), 2, out);
  text(trace_url_setting(), 2, out);
  text(external_url_setting(), 2, out);
  number(series_budget_setting(), 2, out);
  out += "\n";
  number(max_event_age_setting(), 0, out);
  alerting_example(out);
  out += "\n# What is dropped at a bound is counted in the report, with its reason.\nlimits:\n";
  for (const OptionSpec& spec : limit_numbers())
    number(spec, 2, out);
  out += "\n# How statements are joined to requests (docs/chain.md).\ngrouping:";
  out += tables.grouping.empty() ? " {}\n" : "\n";
  for (const OptionSpec& spec : tables.grouping)
    number(spec, 2, out);
  out += kSuppressions;
  detectors_example(tables, out);
  return out;
}

}  // namespace ectoscope
