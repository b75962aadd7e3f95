#include "daemon/index_trial.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "daemon/catalog_reader.h"

namespace ectoscope {
namespace {

constexpr std::string_view kName = "ectoscope_trial";
// Of a page, when the statement's own is a parameter: half of what is usual would do, too.
constexpr std::string_view kLimit = "20";
constexpr double kWorthIt = 0.5;

bool plain_column(const std::string& column) {
  return column.find('(') == std::string::npos && column.find(' ') == std::string::npos;
}

/// The statement with `$n` replaced: by a text, or by the next free number.
std::string with_values(std::string_view text, const std::map<uint16_t, std::string>& values) {
  std::string result;
  std::map<unsigned, unsigned> renumbered;
  for (size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (c == '"' || c == '\'') {
      const size_t end = std::min(text.find(c, i + 1), text.size() - 1);
      result += text.substr(i, end - i + 1);
      i = end + 1;
      continue;
    }
    unsigned number = 0;
    const char* const begin = text.data() + i + 1;
    const auto [end, bad] = std::from_chars(begin, text.data() + text.size(), number);
    if (c != '$' || bad != std::errc()) {
      result += c;
      ++i;
      continue;
    }
    const auto value = values.find(static_cast<uint16_t>(number));
    if (value != values.end()) {
      result += value->second;
    } else {
      const auto [it, fresh] =
          renumbered.emplace(number, static_cast<unsigned>(renumbered.size() + 1));
      result += "$" + std::to_string(it->second);
    }
    i += 1 + static_cast<size_t>(end - begin);
  }
  return result;
}

class Trial {
 public:
  Trial(ReadTransaction& transaction, const IndexTrial& trial, SingleStatement& parser)
      : transaction_(transaction), trial_(trial), parser_(parser) {}

  std::variant<TrialOutcome, DatabaseError> run() {
    const Operation operation = trial_.query->operation;
    if (operation != Operation::kSelect && operation != Operation::kInsert &&
        operation != Operation::kUpdate && operation != Operation::kDelete) {
      return not_tried("the statement is not one that can be explained");
    }
    if (auto error = prepare_session()) return stop(std::move(*error));
    if (!why_.empty()) return not_tried(why_);
    std::string rare;
    if (auto error = find_rare_value(rare)) return stop(std::move(*error));
    TrialOutcome best{TrialOutcome::Kind::kNotBetter, {}, "the planner would not take it"};
    std::vector<std::string> values = {""};
    if (!rare.empty()) values.insert(values.begin(), rare);
    for (const std::string& value : values) {
      const bool probe = trial_.of_trigger || operation != Operation::kSelect;
      const std::string text =
          probe ? probe_text(trial_.index, value) : trial_text(*trial_.query, trial_.index, value);
      if (text.empty() || !parser_.holds(text)) {
        return not_tried("the statement is not one that can be explained");
      }
      double before = 0;
      double after = 0;
      bool chosen = false;
      if (auto error = compare(text, before, after, chosen)) return stop(std::move(*error));
      if (chosen && after > kWorthIt * before) best.why = small_gain(before, after);
      if (!chosen || after > kWorthIt * before) continue;
      best = {TrialOutcome::Kind::kVerified, {Verification::By::kHypopg, before, after}, ""};
      break;
    }
    return best;
  }

 private:
  static std::string small_gain(double before, double after) {
    const auto whole = [](double cost) { return std::to_string(std::llround(cost)); };
    return "the planner takes it, but the statement's cost only falls from " + whole(before) +
           " to " + whole(after) + ": look for what else it waits for";
  }

  static TrialOutcome not_tried(std::string why) {
    return {TrialOutcome::Kind::kNotTried, {}, std::move(why)};
  }

  /// What the server says of the statement says nothing of the connection.
  static std::variant<TrialOutcome, DatabaseError> stop(DatabaseError error) {
    using Reason = DatabaseError::Reason;
    switch (error.reason) {
      case Reason::kPrivilege:
        return not_tried("the role may not read its tables (GRANT SELECT)");
      case Reason::kMissing:
        return not_tried("HypoPG, or a table of the statement, is not in this database");
      case Reason::kTimeout:
        return not_tried("planning took too long");
      case Reason::kOther:
        return not_tried("the statement's shape cannot be planned by itself");
      default:
        return error;
    }
  }

  std::optional<DatabaseError> ask(std::string_view sql, std::span<const std::string> parameters,
                                   std::string& first) {
    return transaction_.run(sql, parameters, [&first](DatabaseRow row) {
      if (!row.empty() && row[0]) first += *row[0];
    });
  }

  /// auto_explain that logs breaks HypoPG, and only some roles may silence it.
  std::optional<DatabaseError> prepare_session() {
    std::string threshold;
    if (auto error =
            ask("SELECT current_setting('auto_explain.log_min_duration', true)", {}, threshold)) {
      return error;
    }
    if (!threshold.empty() && threshold != "-1") {
      std::string may;
      if (auto error = ask(kMaySilence, {}, may)) return error;
      if (may != "t") {
        why_ =
            "auto_explain cannot be silenced for it (GRANT SET ON PARAMETER "
            "auto_explain.log_min_duration TO the role)";
        return std::nullopt;
      }
      if (auto error = transaction_.run("SET LOCAL auto_explain.log_min_duration = -1")) {
        return error;
      }
    }
    std::string schema;
    if (auto error = ask(kFindHypopg, {}, schema)) return error;
    if (schema.empty()) {
      why_ = "HypoPG is not installed in this database (CREATE EXTENSION hypopg)";
      return std::nullopt;
    }
    schema_ = schema;
    return transaction_.run("SET LOCAL plan_cache_mode = force_generic_plan");
  }

  /// A value that few rows have, of the column that the index leads with.
  std::optional<DatabaseError> find_rare_value(std::string& rare) {
    if (trial_.index.columns.empty() || !plain_column(trial_.index.columns[0])) {
      return std::nullopt;
    }
    const std::vector<std::string> parameters = {quote_table(trial_.index.table),
                                                 trial_.index.columns[0]};
    return ask(kRareValue, parameters, rare);
  }

  std::optional<DatabaseError> compare(const std::string& text, double& before, double& after,
                                       bool& chosen) {
    std::string plan;
    if (auto error = explain(text, plan)) return error;
    before = cost_of(plan);
    const std::vector<std::string> sql = {trial_.create_sql};
    std::string index;
    if (auto error =
            ask("SELECT indexname FROM " + schema_ + ".hypopg_create_index($1)", sql, index)) {
      return error;
    }
    // A plan cached before the index is not made anew, so the statement is.
    if (auto error = explain(text, plan)) return error;
    after = cost_of(plan);
    chosen = !index.empty() && plan.find("\"Index Name\": \"" + index + "\"") != std::string::npos;
    return transaction_.run("SELECT " + schema_ + ".hypopg_reset()");
  }

  std::optional<DatabaseError> explain(const std::string& text, std::string& plan) {
    const std::string name(kName);
    plan.clear();
    if (auto error = transaction_.run("PREPARE " + name + " AS " + text)) return error;
    std::string count;
    if (auto error =
            ask("SELECT cardinality(parameter_types) FROM pg_catalog.pg_prepared_statements"
                " WHERE name = '" +
                    name + "'",
                {}, count)) {
      return error;
    }
    std::string values;
    for (int left = std::atoi(count.c_str()); left > 0; --left)
      values += values.empty() ? "NULL" : ", NULL";
    const std::string execute =
        "EXPLAIN (FORMAT JSON) EXECUTE " + name + (values.empty() ? "" : "(" + values + ")");
    if (auto error = ask(execute, {}, plan)) return error;
    return transaction_.run("DEALLOCATE " + name);
  }

  /// The root's comes first.
  static double cost_of(std::string_view plan) {
    constexpr std::string_view kKey = "\"Total Cost\": ";
    const size_t at = plan.find(kKey);
    double cost = 0;
    if (at == std::string_view::npos) return cost;
    const char* const begin = plan.data() + at + kKey.size();
    std::from_chars(begin, plan.data() + plan.size(), cost);
    return cost;
  }

  static constexpr std::string_view kMaySilence =
      "SELECT CASE WHEN current_setting('server_version_num')::int >= 150000"
      " THEN has_parameter_privilege('auto_explain.log_min_duration', 'SET')"
      " ELSE (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) END";
  static constexpr std::string_view kFindHypopg =
      "SELECT quote_ident(n.nspname) FROM pg_extension e"
      " JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'hypopg'";
  // Of the histogram, which holds what is not common; else one that no row has.
  static constexpr std::string_view kRareValue =
      "SELECT quote_literal(coalesce("
      "(s.histogram_bounds::text::text[])[cardinality(s.histogram_bounds::text::text[]) / 2 + 1],"
      " CASE WHEN t.typcategory = 'N' THEN '-1' WHEN t.typcategory = 'S' THEN ''"
      " WHEN t.typname = 'uuid' THEN '00000000-0000-0000-0000-000000000000'"
      " WHEN t.typcategory = 'D' THEN '0001-01-01' END))"
      " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
      " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = $2"
      " JOIN pg_type t ON t.oid = a.atttypid"
      " JOIN pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname"
      " AND s.attname = a.attname"
      " WHERE c.oid = to_regclass($1) AND NOT s.inherited";

  ReadTransaction& transaction_;
  const IndexTrial& trial_;
  SingleStatement& parser_;
  std::string schema_;  // of HypoPG
  std::string why_;
};

}  // namespace

std::string trial_text(const Query& query, const IndexAdvice& index, const std::string& rare) {
  std::map<uint16_t, std::string> values;
  if (query.limit_slot != 0) values[query.limit_slot] = kLimit;
  if (query.offset_slot != 0) values[query.offset_slot] = "0";
  if (!rare.empty() && !index.columns.empty()) {
    for (const Predicate& predicate : query.predicates) {
      if (predicate.slot != 0 && predicate.op == "=" && !predicate.list && !predicate.wrapped &&
          predicate.column == index.columns[0] &&
          bare_name(predicate.table) == bare_name(index.table)) {
        values[predicate.slot] = rare;
      }
    }
  }
  return with_values(query.text, values);
}

std::string probe_text(const IndexAdvice& index, const std::string& rare) {
  std::string text = "SELECT 1 FROM " + quote_table(index.table) + " AS x WHERE ";
  size_t compared = 0;
  for (const std::string& column : index.columns) {
    if (!plain_column(column)) break;
    if (compared > 0) text += " AND ";
    text += "x." + quote_name(column) + " = ";
    const bool first = compared == 0 && !rare.empty();
    text += first ? rare : "$" + std::to_string(compared + (rare.empty() ? 1 : 0));
    ++compared;
  }
  return compared == 0 ? std::string() : text;
}

std::variant<TrialOutcome, DatabaseError> try_index(Database& database, const IndexTrial& trial,
                                                    SingleStatement& parser) {
  Database::Begun begun = database.begin();
  if (!begun.transaction) return begun.error;
  auto outcome = Trial(*begun.transaction, trial, parser).run();
  begun.transaction.reset();
  // Prepared statements and hypothetical indexes outlive a transaction that failed.
  const auto* done = std::get_if<TrialOutcome>(&outcome);
  if (done == nullptr || done->kind == TrialOutcome::Kind::kNotTried) database.disconnect();
  return outcome;
}

}  // namespace ectoscope
