#include "parsers/fidelity.h"

#include <string>
#include <string_view>

namespace ectoscope {
namespace {

using Statements = InputFidelity::Statements;
using TraceIds = InputFidelity::TraceIds;

bool share_below(uint64_t part, uint64_t whole, double share) {
  return static_cast<double>(part) < share * static_cast<double>(whole);
}

/// With log_min_duration_statement = 0 nearly every bind, BEGIN and lookup takes less than 1 ms, so
/// their absence is a threshold's work.  Few durations prove it only when all of them are long.
bool only_slow(const FidelityCounts& counts) {
  constexpr uint64_t kMany = 30;
  constexpr uint64_t kFew = 3;
  constexpr Micros kLong{10'000};
  if (counts.durations >= kMany) return share_below(counts.short_durations, counts.durations, 0.02);
  return counts.durations >= kFew && counts.shortest >= kLong;
}

/// Each of bind and execute is drawn by itself, so sampling leaves executes without their bind.
/// A few are always so: those whose bind came before the file began.
bool sampled(const FidelityCounts& counts) {
  constexpr uint64_t kMany = 20;
  return counts.extended >= kMany && !share_below(counts.without_bind, counts.extended, 0.2);
}

Statements judge_statements(const FidelityCounts& counts) {
  if (counts.executions == 0) return Statements::kNone;
  // auto_explain has a threshold by nature; all of them at 0 ms would be logged statements too.
  if (counts.durations == 0 && counts.by_log_statement == 0) return Statements::kSlowOnly;
  if (only_slow(counts)) return Statements::kSlowOnly;
  if (sampled(counts)) return Statements::kSampled;
  return Statements::kAll;
}

TraceIds judge_trace_ids(const FidelityCounts& counts) {
  constexpr uint64_t kSign = 3;  // fewer may be a cursor or a retry
  if (counts.tagged == 0) return TraceIds::kNone;
  if (counts.stale >= kSign && !share_below(counts.stale, counts.tagged, 0.01)) {
    return TraceIds::kStale;
  }
  // Migrations and the pool's own queries never carry a comment.
  return share_below(counts.tagged, counts.taggable, 0.9) ? TraceIds::kSome : TraceIds::kAll;
}

std::string advice(std::string_view setting, std::string_view shows) {
  return "ALTER SYSTEM SET " + std::string(setting) + ";  -- " + std::string(shows);
}

/// A log in a language that nobody here knows is not an empty one.
bool unreadable(const FidelityCounts& counts) {
  return counts.unread_durations > counts.executions;
}

// Of stderr alone: the other formats have it all.  An application may have no name in them, so that
// alone is no sign.
std::string lacking_in_prefix(const FidelityCounts& counts) {
  std::string lacking;
  if (counts.coarse * 2 > counts.executions) lacking = "milliseconds";
  if (counts.executions == 0 || counts.with_transaction > 0) return lacking;
  lacking += std::string(lacking.empty() ? "" : ", ") + "transactions";
  if (counts.with_application == 0) lacking += ", applications";
  return lacking;
}

void add_advice(const FidelityCounts& counts, InputFidelity& fidelity) {
  auto& lines = fidelity.advice;
  if (unreadable(counts)) {
    lines.push_back(unreadable_advice());
    return;
  }
  switch (fidelity.statements) {
    case Statements::kAll:
      break;
    case Statements::kSampled:
      lines.push_back(
          advice("log_statement_sample_rate = 1",
                 "sampling hides most of a loop's statements, so N+1 cannot be counted"));
      lines.push_back(advice("log_min_duration_statement = 0", "logs every statement in full"));
      break;
    case Statements::kSlowOnly:
    case Statements::kNone:
      lines.push_back(
          advice("log_min_duration_statement = 0",
                 "fast statements too: the queries of an N+1 are fast, each by itself"));
  }
  if (counts.untimed > 0 && counts.untimed * 2 > counts.by_log_statement) {
    lines.push_back(advice("log_min_duration_statement = 0",
                           "how long each statement took; log_statement alone does not tell"));
  }
  if (counts.by_log_statement > 0) {
    lines.push_back(advice("log_statement = 'none'",
                           "log_min_duration_statement logs the same statements with duration and "
                           "query id in one line"));
  }
  if (counts.bare_durations > counts.executions) {
    lines.push_back(advice("log_duration = off", "its durations name no statement"));
  }
  if (!fidelity.parameters && counts.lacking_parameters > 0) {
    lines.push_back(advice("log_parameter_max_length = 64",
                           "parameter values: they tell an N+1 from the same query run again"));
  }
  if (const std::string lacking = lacking_in_prefix(counts); !lacking.empty()) {
    const std::string setting = "log_line_prefix = '" + std::string(kBestLogLinePrefix) + "'";
    const std::string shows =
        "it lacks " + lacking + ": requests are told apart with less certainty";
    lines.push_back(advice(setting, shows));
  }
  if (counts.executions > 0 && counts.with_query_id == 0) {
    lines.push_back(advice("compute_query_id = on",
                           "query ids (with %Q in log_line_prefix on stderr): they tie plans to "
                           "their statements and to pg_stat_statements"));
  }
  if (!fidelity.plans && fidelity.statements != Statements::kNone) {
    lines.push_back(
        advice("session_preload_libraries = 'auto_explain'",
               "plans of slow statements; with auto_explain.log_min_duration = '100ms', "
               "auto_explain.log_format = json, auto_explain.log_analyze = on, "
               "auto_explain.log_triggers = on"));
  }
}

}  // namespace

std::string unreadable_advice() {
  return advice(
      "lc_messages = 'C'",
      "the log is in words that ectoscope does not know, so its statements were not read");
}

void note_unread(const std::map<std::string, uint64_t, std::less<>>& drops, uint64_t records,
                 InputFidelity& fidelity) {
  const auto unread = drops.find("unknown_language");
  if (unread != drops.end() && unread->second > records) fidelity.advice = {unreadable_advice()};
}

InputFidelity judge_fidelity(const FidelityCounts& counts) {
  InputFidelity fidelity;
  fidelity.statements = judge_statements(counts);
  fidelity.parameters =
      counts.with_parameters > 0 && counts.with_parameters >= counts.lacking_parameters;
  fidelity.plans = counts.plans > 0;
  fidelity.trace_ids = judge_trace_ids(counts);
  add_advice(counts, fidelity);
  return fidelity;
}

}  // namespace ectoscope
