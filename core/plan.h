// A plan as auto_explain logged it, without a value in it.
//
// What the log gives per loop is multiplied out here: rows, removed rows and times are totals over
// all loops and workers.  Immutable once read, and bounded: see PlanLimits.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"

namespace ectoscope {

struct PlanLimits {
  static constexpr size_t kDepth = 1000;        // a deeper plan is not read at all
  static constexpr size_t kNodes = 500;         // more are counted in Plan::nodes_left_out
  static constexpr size_t kConditions = 32;     // of one clause, taken apart
  static constexpr size_t kText = 2000;         // bytes of one clause or key; the rest is cut off
  static constexpr size_t kAllText = 64 << 10;  // bytes of all clauses; later ones are cut short
  static constexpr size_t kTriggers = 50;
};

enum class PlanNodeType : uint8_t {
  kOther,
  kSeqScan,
  kIndexScan,
  kIndexOnlyScan,
  kBitmapHeapScan,
  kBitmapIndexScan,
  kTidScan,
  kSubqueryScan,
  kFunctionScan,
  kCteScan,
  kLimit,
  kSort,
  kIncrementalSort,
  kAggregate,
  kWindowAgg,
  kUnique,
  kHash,
  kHashJoin,
  kMergeJoin,
  kNestedLoop,
  kMaterialize,
  kMemoize,
  kAppend,
  kMergeAppend,
  kGather,
  kGatherMerge,
  kModifyTable,
  kLockRows,
  kResult,
};

/// What a column is compared with.
enum class PlanOperand : uint8_t {
  kNone,       // nothing: IS NULL, a boolean column
  kLiteral,    // a value that the planner knew: it is not kept
  kParameter,  // $1 of a generic plan
  kColumn,     // another column: a join, or a correlated subquery
  kExpression  // now() - interval, a subplan's result ...
};

/// Where the wildcards of a LIKE pattern stand.
enum class PlanPattern : uint8_t {
  kNone,     // no LIKE
  kUnknown,  // the pattern is a parameter
  kExact,    // no wildcard
  kPrefix,   // 'abc%': a b-tree with text_pattern_ops serves
  kLeading   // '%abc': no b-tree serves
};

/// One comparison, AND-ed to the others of its clause.
struct PlanCondition {
  std::string qualifier;   // alias or relation before the column's dot; often not printed
  std::string column;      // innermost column of the side that has one; empty: none could be told
  std::string expression;  // that side as printed, without literals: "lower((email)::text)"
  std::string op;  // "=", "<", "~~*", "@>", "IS NULL", "IS TRUE", "IS NOT TRUE" ("NOT archived"),
                   // "= ANY": a value in the column, an array
  std::string cast_to;       // type that the bare column is cast to: "text", "bigint"; empty: none
  std::string operand_type;  // as printed: "jsonb", "text[]"; empty: not told
  PlanOperand operand = PlanOperand::kNone;
  PlanPattern pattern = PlanPattern::kNone;
  bool list = false;      // = ANY (...)
  bool function = false;  // the column stands inside a function or an operator
};

/// The text of a condition and what it is made of.
struct PlanClause {
  std::string text;                         // literals are "?", parameters stay $n
  std::vector<PlanCondition> conditions;    // AND-ed; one with an OR inside is left out here ...
  bool disjunction = false;                 // ... and this says so
  std::vector<PlanCondition> alternatives;  // of the first OR, where each is one comparison

  [[nodiscard]] bool empty() const { return text.empty(); }
};

struct PlanNode {
  static constexpr uint32_t kNoParent = UINT32_MAX;

  uint32_t parent = kNoParent;  // index in Plan::nodes, less than this node's own
  uint32_t depth = 0;
  PlanNodeType type = PlanNodeType::kOther;
  std::string name;          // "Seq Scan", "Hash Join": EXPLAIN's word for `type`
  std::string strategy;      // of an aggregate: "Hashed", "Sorted", "Plain", "Mixed"
  std::string join_type;     // "Inner", "Left", "Semi" ...
  std::string operation;     // of kModifyTable: "Insert", "Update", "Delete", "Merge"
  std::string relationship;  // "Outer", "Inner", "InitPlan", "SubPlan" ...
  std::string subplan;       // "InitPlan 1 (returns $0)", "CTE recent"
  std::string schema;        // only of VERBOSE plans
  std::string relation;
  std::string alias;
  std::string index;
  bool backward = false;
  bool parallel = false;

  PlanClause index_cond;
  PlanClause recheck_cond;
  PlanClause filter;                       // also of joins and aggregates
  PlanClause join_filter;                  // ON and WHERE of a join that its method can't use
  PlanClause join_cond;                    // Hash Cond or Merge Cond
  std::vector<std::string> sort_key;       // "inserted_at DESC"
  std::vector<std::string> presorted_key;  // of an incremental sort
  std::vector<std::string> group_key;

  double startup_cost = 0;
  double total_cost = 0;
  double plan_rows = 0;  // estimate, a loop
  double plan_width = 0;

  // All of these are 0 when the plan has estimates only.
  double loops = 0;
  double rows = 0;  // all loops
  double removed_by_filter = 0;
  double removed_by_join_filter = 0;
  double removed_by_recheck = 0;
  double total_ms = 0;       // all loops; of a parallel node that is more than passed on the clock
  double startup_ms = 0;     // of a loop
  bool timed = false;        // log_timing was on
  bool never_run = false;    // "never executed"
  bool stops_early = false;  // something above may stop asking for rows: LIMIT, semi join, EXISTS

  std::string sort_method;  // "quicksort", "external merge"
  double sort_space_kb = 0;
  bool sort_on_disk = false;
  double hash_batches = 0;
  double disk_usage_kb = 0;  // of a hashed aggregate
  double heap_fetches = 0;
  double lossy_blocks = 0;
  double workers_planned = 0;
  double workers_launched = 0;
  double blocks_hit = 0;  // with log_buffers, 8 KiB each, this node and those below it
  double blocks_read = 0;
  double temp_blocks_read = 0;
  double temp_blocks_written = 0;
};

/// What a trigger of the statement cost; a foreign key without an index shows here alone.
struct PlanTrigger {
  std::string name;        // empty in the text format when `constraint` is known
  std::string constraint;  // "order_items_order_id_fkey"
  std::string relation;    // the one that fired it
  double time_ms = 0;      // 0 too with log_timing off
  double calls = 0;
};

/// Whether the planner knew the values.
enum class PlanValues : uint8_t {
  kNone,    // no value stands in any condition
  kCustom,  // planned for the values of this run
  kGeneric  // planned once for all values: $n in the conditions
};

struct Plan {
  std::vector<PlanNode> nodes;  // a node before those below it; never empty
  uint64_t nodes_left_out = 0;
  std::vector<PlanTrigger> triggers;
  Micros duration{0};     // the record's own: planning left out, triggers included
  bool analyzed = false;  // false: log_analyze was off, so there are estimates only
  bool buffers = false;   // block counts are known
  PlanValues values = PlanValues::kNone;
  uint64_t structure = 0;  // hash of the tree's types, relations and indexes: equal plans agree

  [[nodiscard]] const PlanNode& root() const { return nodes.front(); }
};

/// "Seq Scan", ...; empty for kOther.
std::string_view name_of(PlanNodeType type);
/// kOther for a word that is not EXPLAIN's.
PlanNodeType plan_node_type(std::string_view name);

/// One line for people: "Parallel Seq Scan on events e0", "Index Scan Backward using i on events".
std::string label_of(const PlanNode& node);

/// Whether it reads a table's rows: by sequence, index or bitmap.
bool reads_table(PlanNodeType type);

/// The processes that shared a node's work: 1, or the workers launched above it and their leader.
double processes_of(const Plan& plan, size_t node);

/// Time on the clock spent in the node itself, without those below it; 0 when not timed.
double self_ms(const Plan& plan, size_t node);

/// The node to look at first: the one with the most time of its own, else the most rows thrown
/// away, else the highest cost of its own.
size_t worst_node(const Plan& plan);

/// Of a plan whose fix is an index on `table`: the scan of it that reads the most; else, or without
/// one, worst_node().
size_t node_at_fault(const Plan& plan, std::string_view table);

/// Rows that a node read, kept or not.
double rows_read(const PlanNode& node);

/// The nearest node above `node` of one of the types, or nodes.size().
size_t above(const Plan& plan, size_t node, PlanNodeType type);

/// Hash for Plan::structure.
uint64_t structure_of(const Plan& plan);

}  // namespace ectoscope
