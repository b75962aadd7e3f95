#include "config/settings.h"

#include <algorithm>

namespace ectoscope {
namespace {

constexpr double kKiB = 1024;
constexpr double kMiB = 1024 * kKiB;

bool name_like(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
}

bool known_format(std::string_view text) {
  constexpr std::array<std::string_view, 9> kFormats = {
      "auto", "stderr", "csvlog", "jsonlog", "cnpg", "cloudsql", "rds", "syslog", "journald"};
  return std::find(kFormats.begin(), kFormats.end(), text) != kFormats.end();
}

// A prefix without the time could not tell one record from the next.
bool usable_prefix(std::string_view text) {
  if (text.empty()) return true;
  if (text.size() > 512 || text.find('\n') != std::string_view::npos) return false;
  return text.find("%m") != std::string_view::npos || text.find("%t") != std::string_view::npos ||
         text.find("%n") != std::string_view::npos;
}

// Anything shorter would take aliases (p0, c1) for schemas.
bool usable_tenant_glob(std::string_view text) {
  constexpr size_t kLeastBeginning = 2;
  const size_t special = std::min(text.find_first_of("*?\""), text.size());
  return special >= kLeastBeginning && special < text.size() && text[special] == '*' &&
         text.find('"') == std::string_view::npos;
}

// +HH:MM from UTC-12 to UTC+14.
bool offset_or_utc(std::string_view text) {
  if (text == "UTC") return true;
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return false;
  const auto two = [text](size_t at) {
    const bool digits =
        text[at] >= '0' && text[at] <= '9' && text[at + 1] >= '0' && text[at + 1] <= '9';
    return digits ? (text[at] - '0') * 10 + (text[at + 1] - '0') : 99;
  };
  return two(1) <= 14 && two(4) <= 59;
}

constexpr TextSpec kServer = {
    "server", "main", "a name of letters, digits, '_', '-' and '.', at most 64 of them", &name_like,
    "The name of this PostgreSQL server in reports.  It is part of every finding's id: when it "
    "changes, all findings are new ones."};

constexpr std::array kInputTexts = {
    TextSpec{"format", "auto",
             "one of auto, stderr, csvlog, jsonlog, cnpg, cloudsql, rds, syslog, journald",
             &known_format, "The format of the log files.  auto looks at their first bytes."},
    TextSpec{"log_line_prefix", "", "a log_line_prefix with %m, %t or %n in it", &usable_prefix,
             "As it stands in postgresql.conf, for the stderr format.  Empty: found from the "
             "records, also when it changes in mid-file."},
    TextSpec{"timezone", "UTC", "UTC or an offset like +02:00", &offset_or_utc,
             "What a stamp means whose zone has a name that several zones share, such as IST: "
             "log_timezone as an offset."},
};

constexpr TextSpec kTenantSchema = {
    "tenant_schemas", "tenant_*",
    "a glob like tenant_*, with two letters and more before its first *", &usable_tenant_glob,
    "Schemas of one tenant each (Ecto's prefix:, Triplex).  The same statement in several of them "
    "is "
    "one problem, and reports name the glob instead of the tenant.  []: each schema's are its "
    "own."};

constexpr std::array kInputNumbers = {
    OptionSpec{"max_record_bytes", OptionSpec::Type::kBytes, 16 * kMiB, 64 * kKiB, 256 * kMiB,
               "A longer record is skipped and counted as too_long.  Memory grows with it."},
};

constexpr std::array kLimits = {
    OptionSpec{"shapes", OptionSpec::Type::kInteger, 30'000, 100, 1'000'000,
               "Distinct statements (literals aside) that are told apart; what comes after them is "
               "counted as shapes_full and not judged.  About 2 KiB of memory each."},
    OptionSpec{"routes", OptionSpec::Type::kInteger, 10'000, 10, 1'000'000,
               "Distinct routes and controller actions that are named in findings."},
    OptionSpec{"streams", OptionSpec::Type::kInteger, 10'000, 10, 1'000'000,
               "Distinct combinations of database, user, application and client host."},
    OptionSpec{"findings", OptionSpec::Type::kInteger, 5'000, 10, 1'000'000,
               "Distinct problems that are kept; the rest are counted."},
    OptionSpec{"max_statement_bytes", OptionSpec::Type::kBytes, kMiB, 1 * kKiB, 64 * kMiB,
               "A longer statement is not parsed, only read by its skeleton."},
};

bool any_path(std::string_view text) {
  return !text.empty() && text.size() < 4096 && text.find('\n') == std::string_view::npos;
}

bool any_name(std::string_view text) {
  return !text.empty() && text.size() < 64;
}

bool start_or_end(std::string_view text) {
  return text == "end" || text == "beginning";
}

bool host_and_port(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || text.size() > 256) return false;
  const std::string_view port = text.substr(colon + 1);
  const std::string_view host = text.substr(0, colon);
  const bool bare_v6 = host.find(':') != std::string_view::npos && !host.starts_with('[');
  if (bare_v6 || port.empty() || port.size() > 5) return false;
  unsigned number = 0;
  for (const char c : port) {
    if (c < '0' || c > '9') return false;
    number = number * 10 + static_cast<unsigned>(c - '0');
  }
  return number <= 65'535;
}

bool trace_address(std::string_view text) {
  if (text.empty()) return true;
  return (text.starts_with("https://") || text.starts_with("http://")) &&
         text.find("{trace_id}") != std::string_view::npos && text.size() <= 2000;
}

constexpr TextSpec kServerName = {
    "name", "main", "a name of letters, digits, '_', '-' and '.', at most 64 of them", &name_like,
    "The server's name in reports, metrics and alerts.  It is part of every finding's id."};

constexpr TextSpec kLogPattern = {
    "logs", "", "a path, or one with *, ? and [...] in it", &any_path,
    "The server's logs.  Each is one log with its rotations: a pattern that matches all of them "
    "loses nothing when a file is copied and cut.  Compressed files are left alone.  - is standard "
    "input."};

constexpr TextSpec kStartAt = {"start_at", "end", "end or beginning", &start_or_end,
                               "Where a log is begun that was never followed before."};

constexpr TextSpec kDatabaseName = {"databases", "", "a database's name", &any_name,
                                    "Only statements on these are looked at; empty: all."};

constexpr TextSpec kStateDirectory = {
    "directory", "/var/lib/ectoscope", "a path", &any_path,
    "Where findings, their history and the place in each log are kept.  Made when it is missing."};

constexpr OptionSpec kStateKeep = {
    "keep",
    OptionSpec::Type::kDuration,
    30 * 86'400e6,
    86'400e6,
    365 * 86'400e6,
    "A finding that was not seen for so long is forgotten, and history goes no further back."};

constexpr TextSpec kListenAddress = {
    "listen_address", "127.0.0.1:9788", "HOST:PORT, as in 127.0.0.1:9788 or [::1]:9788",
    &host_and_port, "Where metrics, API and pages are served.  Port 0: any that is free."};

constexpr TextSpec kTraceUrl = {
    "trace_url", "", "an http or https address with {trace_id} in it", &trace_address,
    "Where a trace is to be seen, as in https://tempo.example/trace/{trace_id}: pages link to it.  "
    "Empty: trace ids are shown as text."};

bool external_address(std::string_view text) {
  return text.empty() || plain_url(text);
}

constexpr TextSpec kExternalUrl = {"external_url", "", "an http or https address",
                                   &external_address,
                                   "Where people reach the pages: links in alerts begin with it, "
                                   "as in https://ectoscope.example.  "
                                   "Empty: the address that is listened on."};

constexpr OptionSpec kSeriesBudget = {
    "series_budget",
    OptionSpec::Type::kInteger,
    2000,
    200,
    100'000,
    "Time series in /metrics, whatever the log brings; what has no room is summed up as other."};

constexpr OptionSpec kMaxEventAge = {
    "max_event_age",
    OptionSpec::Type::kDuration,
    60e6,
    1e6,
    86'400e6,
    "What the log says happened longer ago than this is recorded, but alerts nobody: it is being "
    "caught up with."};

constexpr OptionSpec kEnabled = {"enabled", OptionSpec::Type::kBoolean, 1, 0,
                                 1,         "Whether it runs at all."};

}  // namespace

const TextSpec& server_setting() {
  return kServer;
}

std::span<const TextSpec> input_texts() {
  return kInputTexts;
}

std::span<const OptionSpec> input_numbers() {
  return kInputNumbers;
}

std::span<const OptionSpec> limit_numbers() {
  return kLimits;
}

const TextSpec& server_name_setting() {
  return kServerName;
}

const TextSpec& start_at_setting() {
  return kStartAt;
}

const TextSpec& log_pattern_setting() {
  return kLogPattern;
}

const TextSpec& database_name_setting() {
  return kDatabaseName;
}

const TextSpec& tenant_schema_setting() {
  return kTenantSchema;
}

const TextSpec& state_directory_setting() {
  return kStateDirectory;
}

const OptionSpec& state_keep_setting() {
  return kStateKeep;
}

const TextSpec& listen_address_setting() {
  return kListenAddress;
}

const TextSpec& trace_url_setting() {
  return kTraceUrl;
}

const TextSpec& external_url_setting() {
  return kExternalUrl;
}

bool plain_url(std::string_view text) {
  const size_t scheme = text.starts_with("https://") ? 8 : text.starts_with("http://") ? 7 : 0;
  if (scheme == 0 || text.size() > 2000) return false;
  const bool printable =
      std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
  return printable && text.find_first_of("@?#\"<>\\") == std::string_view::npos &&
         text.size() > scheme && text[scheme] != '/' && text[scheme] != ':';
}

const OptionSpec& series_budget_setting() {
  return kSeriesBudget;
}

const OptionSpec& max_event_age_setting() {
  return kMaxEventAge;
}

const OptionSpec& enabled_setting() {
  return kEnabled;
}

}  // namespace ectoscope
