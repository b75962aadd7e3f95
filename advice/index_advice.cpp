#include "advice/index_advice.h"

#include <algorithm>
#include <optional>

#include "advice/ecto_names.h"
#include "advice/index_builder.h"
#include "advice/statement_text.h"
#include "core/plan_use.h"

namespace ectoscope {
namespace {

std::string lower_case(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

Sorted column_of(const CatalogIndex& index, size_t i) {
  const bool descending = i < index.descending.size() && index.descending[i];
  return {index.columns[i], descending,
          i < index.nulls_first.size() ? bool(index.nulls_first[i]) : descending};
}

/// Whether `longer` begins with all of `shorter`; what is there for its order in the same
/// directions or all in the other ones.  What is compared with one value is in any.
bool begins_with(const CatalogIndex& longer, const BuiltIndex& shorter) {
  const IndexAdvice& index = shorter.index;
  if (longer.columns.size() < index.columns.size()) return false;
  for (size_t i = 0; i < index.columns.size(); ++i) {
    if (lower_case(longer.columns[i]) != lower_case(index.columns[i])) return false;
  }
  bool same = true;
  bool turned = true;
  for (size_t i = 0; i < shorter.sorted.size(); ++i) {
    const Sorted has = column_of(longer, shorter.sorted_from + i);
    const Sorted& wanted = shorter.sorted[i];
    const bool along = has.descending == wanted.descending;
    const bool nulls_along = has.nulls_first == wanted.nulls_first;
    same = same && along && nulls_along;
    turned = turned && !along && !nulls_along;
  }
  return same || turned;
}

/// Whether all that `existing` does the new one does, too.
bool extends(const IndexAdvice& index, const CatalogIndex& existing) {
  if (existing.unique || !existing.where.empty() || existing.columns.empty() ||
      existing.columns.size() >= index.columns.size()) {
    return false;
  }
  for (size_t i = 0; i < existing.columns.size(); ++i) {
    if (existing.columns[i] != index.columns[i]) return false;
    if (column_of(existing, i).order() != index.order[i]) return false;
  }
  return std::all_of(existing.include.begin(), existing.include.end(), [&](const auto& column) {
    return std::find(index.columns.begin(), index.columns.end(), column) != index.columns.end();
  });
}

bool same_index(const IndexAdvice& one, const IndexAdvice& other) {
  return one.table == other.table && one.columns == other.columns && one.order == other.order &&
         one.include == other.include && one.where == other.where;
}

/// False when the catalog has what it would do.
bool compare_with(const CatalogTable* table, const BuiltIndex& built, IndexCandidate& candidate) {
  if (table == nullptr) return true;
  for (const CatalogIndex& existing : table->indexes) {
    if (!existing.valid || existing.method != "btree") continue;
    const bool covers_rows = existing.where.empty() || existing.where == candidate.index.where;
    if (covers_rows && begins_with(existing, built)) return false;
    if (candidate.replaces.empty() && !candidate.index.where &&
        extends(candidate.index, existing)) {
      candidate.replaces = existing.name;
    }
  }
  return true;
}

/// Types of a fixed size, and a small one.
bool is_narrow(std::string_view type) {
  constexpr std::string_view kNarrow[] = {"bigint",   "integer",   "smallint",  "boolean",
                                          "date",     "uuid",      "real",      "double",
                                          "numeric(", "timestamp", "time with", "time("};
  return std::any_of(std::begin(kNarrow), std::end(kNarrow),
                     [&](std::string_view start) { return type.starts_with(start); });
}

/// Columns that would spare the scan the table: few and narrow ones, where it reads many rows.
/// Whether the planner agrees is for a trial to say.
std::vector<std::string> columns_to_include(const IndexQuestion& question,
                                            const IndexAdvice& index) {
  constexpr double kManyRows = 1000;
  constexpr size_t kFew = 3;
  const CatalogTable* table =
      question.catalog == nullptr ? nullptr : question.catalog->table(question.table);
  const Query& query = question.query;
  if (table == nullptr || question.plan == nullptr || query.locks_rows) return {};
  const size_t scan = scan_of(*question.plan, query, question.table);
  if (scan == question.plan->nodes.size()) return {};
  const PlanNode& node = question.plan->nodes[scan];
  if (!question.plan->analyzed || node.rows < kManyRows) return {};
  const auto read = columns_read(query.text, node.alias);
  if (!read) return {};
  std::vector<std::string> include;
  for (const std::string& column : *read) {
    if (std::find(index.columns.begin(), index.columns.end(), column) != index.columns.end()) {
      continue;
    }
    const auto known = table->columns.find(column);
    if (known == table->columns.end() || !is_narrow(known->second.type)) return {};
    include.push_back(column);
  }
  return include.size() <= kFew ? include : std::vector<std::string>{};
}

/// "lower((u0.email)::text)" -> "lower(email)": no alias, no cast that PostgreSQL added itself.
std::string tidy(std::string text, const std::string& qualifier) {
  const auto replace_all = [&](std::string_view what, std::string_view with) {
    for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at))
      text.replace(at, what.size(), with);
  };
  if (!qualifier.empty()) replace_all(qualifier + ".", "");
  for (const std::string_view cast : {"::text", "::character varying"}) {
    for (size_t at = text.find(cast); at != std::string::npos; at = text.find(cast, at)) {
      const size_t open = text.rfind('(', at);
      const bool bare_column = at > 0 && text[at - 1] == ')' && open != std::string::npos &&
                               text.find(')', open) == at - 1;
      if (!bare_column) {
        at += cast.size();
        continue;
      }
      text.erase(at - 1, cast.size() + 1);
      text.erase(open, 1);
      at = open;
    }
  }
  return text;
}

}  // namespace

std::vector<std::string> partitions_read(const Plan* plan, const Query& query,
                                         std::string_view table) {
  std::vector<std::string> partitions;
  if (plan == nullptr) return partitions;
  for (const PlanNode& node : plan->nodes) {
    if (!reads_table(node.type) || node.relation == without_prefix(table)) continue;
    if (table_read(node, query) != table) continue;
    if (std::find(partitions.begin(), partitions.end(), node.relation) == partitions.end())
      partitions.push_back(node.relation);
  }
  return partitions;
}

std::vector<IndexCandidate> index_candidates(const IndexQuestion& question) {
  std::vector<IndexCandidate> candidates;
  const CatalogTable* table =
      question.catalog == nullptr ? nullptr : question.catalog->table(question.table);
  for (const BuiltIndex& built : build_indexes(question)) {
    IndexCandidate candidate{
        built.index, {}, partitions_read(question.plan, question.query, question.table)};
    if (compare_with(table, built, candidate)) candidates.push_back(std::move(candidate));
  }
  if (!candidates.empty()) {
    IndexCandidate covering = candidates.front();
    covering.index.include = columns_to_include(question, covering.index);
    if (!covering.index.include.empty()) candidates.push_back(std::move(covering));
  }
  return candidates;
}

std::vector<IndexCandidate> index_candidates(const AdviceRequest& request, const Catalog* catalog) {
  if (request.query == nullptr || request.worst == nullptr) return {};
  const Observation& worst = *request.worst;
  std::string_view table = worst.table;
  if (table.empty() && !request.query->tables.empty()) table = request.query->tables[0];
  if (!worst.index) {
    if (table.empty()) return {};
    return index_candidates(IndexQuestion{*request.query, worst.plan.get(), table, catalog});
  }
  // One of ours that a trial chose, or what the detector knows by itself.
  for (const IndexCandidate& candidate :
       index_candidates(IndexQuestion{*request.query, worst.plan.get(), table, catalog})) {
    if (same_index(candidate.index, *worst.index)) return {candidate};
  }
  IndexCandidate candidate{*worst.index, {}, {}};
  const CatalogTable* known = catalog == nullptr ? nullptr : catalog->table(worst.index->table);
  if (!compare_with(known, {candidate.index, {}, 0}, candidate)) return {};
  return {std::move(candidate)};
}

std::string indexable_expression(const Plan& plan, const Query& query, std::string_view table) {
  const size_t scan = scan_of(plan, query, table);
  if (scan == plan.nodes.size()) return {};
  for (const PlanCondition* condition : conditions_of(plan, scan)) {
    const ConditionUse use = use_of(*condition, plan.nodes[scan], query);
    if (use != ConditionUse::kWrapped && use != ConditionUse::kFreePattern) continue;
    std::string text = tidy(condition->expression, condition->qualifier);
    return text.find('?') == std::string::npos ? text : std::string();
  }
  return {};
}

}  // namespace ectoscope
