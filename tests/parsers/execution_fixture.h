// A builder over a resolver that reads just enough of a statement, and records in one line each.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parsers/execution_builder.h"

namespace ectoscope {

/// Knows $n, "x = $n" and a trailing /*N*/ as trace id; the text without it is the shape.
class FakeSql {
 public:
  const ResolvedSql& resolve(std::string_view sql) {
    resolved_ = {};
    if (const size_t comment = sql.find("/*"); comment != std::string_view::npos) {
      resolved_.trace_id = {0, static_cast<uint64_t>(sql[comment + 2])};
      sql = sql.substr(0, comment);
    }
    if (sql.empty()) return resolved_;
    const auto [known, is_new] = ids_.try_emplace(std::string(sql), kNoQuery);
    if (is_new) known->second = queries.add(read(sql));
    resolved_.query = known->second;
    return resolved_;
  }

  QueryTable queries{1000};

 private:
  static Query read(std::string_view sql) {
    Query query;
    query.text = sql;
    query.operation = sql.starts_with("SELECT") ? Operation::kSelect : Operation::kTransaction;
    for (uint16_t slot = 1; slot < 10; ++slot) {
      const std::string dollar = "$" + std::to_string(slot);
      if (sql.find(dollar) == std::string_view::npos) continue;
      query.parameters = slot;
      if (sql.find("= " + dollar) == std::string_view::npos) continue;
      query.equal_slots.push_back(slot);
      if (query.key_slot == 0) {
        query.key_slot = slot;
        query.key_form = KeyForm::kSingle;
      }
    }
    return query;
  }

  std::map<std::string, QueryId, std::less<>> ids_;
  ResolvedSql resolved_;
};

struct BuilderFixture {
  explicit BuilderFixture(BuilderLimits limits = {})
      : builder(
            {[this](std::string_view text) -> const ResolvedSql& { return sql.resolve(text); },
             sql.queries},
            streams, HashKey{1, 2}, "main",
            [this](std::span<const Execution> batch, std::span<const PlannedRun> beside) {
              ++batches;
              for (const PlannedRun& run : beside)
                plans.push_back(describe(run, batch));
              out.insert(out.end(), batch.begin(), batch.end());
            },
            limits) {}

  /// A record of pid 10 at `ms` after an arbitrary moment.
  LogRecord record(int64_t ms, std::string_view message, std::string_view detail = {}) const {
    LogRecord record;
    record.at = EventTime(Micros(1'000'000'000 + ms * 1000));
    record.severity = LogSeverity::kLog;
    record.pid = pid;
    record.session = session;
    record.virtual_xid = virtual_xid;
    record.database = "shop";
    record.application = "web";
    record.message = message;
    record.detail = detail;
    return record;
  }

  void log(int64_t ms, std::string_view message, std::string_view detail = {}) {
    builder.on_record(record(ms, message, detail));
  }

  void error(int64_t ms, std::string_view statement) {
    LogRecord failed = record(ms, "duplicate key value");
    failed.severity = LogSeverity::kError;
    failed.statement = statement;
    builder.on_record(failed);
  }

  /// What comes out, one line each: text, duration in µs, start and end in ms, flags.
  std::vector<std::string> flushed() {
    builder.flush();
    std::vector<std::string> lines;
    for (const Execution& execution : out)
      lines.push_back(describe(execution));
    return lines;
  }

  /// "SELECT 1: Result", "SELECT 2 in SELECT 1: Result".
  std::string describe(const PlannedRun& run, std::span<const Execution> batch) const {
    const std::string& own = sql.queries[run.execution.query].text;
    const std::string& run_of = sql.queries[batch[run.at].query].text;
    return own + (own == run_of ? "" : " in " + run_of) + ": " + label_of(run.plan->root());
  }

  std::string describe(const Execution& execution) const {
    const auto ms = [](EventTime at) {
      const int64_t micros = at.time_since_epoch().count() - 1'000'000'000;
      return std::to_string(micros / 1000) + "." + std::to_string(micros % 1000 / 100);
    };
    std::string line = sql.queries[execution.query].text + " " +
                       std::to_string(execution.duration.count()) + "us " +
                       ms(execution.started_at) + "-" + ms(execution.ended_at);
    constexpr std::pair<Execution::Flags, const char*> kWords[] = {
        {Execution::kNamed, "named"},        {Execution::kParsedNow, "parsed"},
        {Execution::kFetch, "fetch"},        {Execution::kHasPlan, "plan"},
        {Execution::kPlanOnly, "plan_only"}, {Execution::kSimple, "simple"},
        {Execution::kCoarseTime, "coarse"},  {Execution::kNoDuration, "no_duration"},
    };
    for (const auto& [flag, word] : kWords)
      if (execution.has(flag)) line += std::string(" ") + word;
    return line;
  }

  FakeSql sql;
  StreamTable streams;
  std::vector<Execution> out;
  std::vector<std::string> plans;
  size_t batches = 0;
  int32_t pid = 10;
  std::string session = "s.10";
  std::string virtual_xid = "3/7";
  ExecutionBuilder builder;
};

}  // namespace ectoscope
