// A plan in lines, for golden files.
#pragma once

#include <sstream>
#include <string>

#include "core/plan.h"

namespace ectoscope {

inline std::string operand_word(PlanOperand operand) {
  constexpr const char* kWords[] = {"none", "literal", "parameter", "column", "expression"};
  return kWords[static_cast<size_t>(operand)];
}

inline void dump_condition(std::ostringstream& out, const PlanCondition& it) {
  constexpr const char* kPatterns[] = {"", " pattern?", " exact", " prefix", " leading"};
  out << (it.qualifier.empty() ? "" : it.qualifier + ".") << it.column << ' ' << it.op
      << (it.list ? " ANY " : " ") << operand_word(it.operand)
      << (it.operand_type.empty() ? "" : " of " + it.operand_type)
      << kPatterns[static_cast<size_t>(it.pattern)]
      << (it.cast_to.empty() ? "" : " cast to " + it.cast_to)
      << (it.function ? " in " + it.expression : "") << '\n';
}

inline void dump_clause(std::ostringstream& out, const std::string& indent, const char* name,
                        const PlanClause& clause) {
  if (clause.empty()) return;
  out << indent << name << ": " << clause.text << (clause.disjunction ? "  [or]" : "") << '\n';
  for (const PlanCondition& it : clause.conditions) {
    out << indent << "  . ";
    dump_condition(out, it);
  }
  for (const PlanCondition& it : clause.alternatives) {
    out << indent << "  | ";
    dump_condition(out, it);
  }
}

inline void dump_keys(std::ostringstream& out, const std::string& indent, const char* name,
                      const std::vector<std::string>& keys) {
  if (keys.empty()) return;
  out << indent << name << ":";
  for (const std::string& key : keys)
    out << " [" << key << "]";
  out << '\n';
}

inline void dump_node(std::ostringstream& out, const Plan& plan, size_t index) {
  const PlanNode& node = plan.nodes[index];
  const std::string indent(size_t{node.depth} * 2, ' ');
  out << indent << label_of(node) << "  (cost " << node.startup_cost << ".." << node.total_cost
      << " rows " << node.plan_rows << ")";
  if (plan.analyzed) out << "  (rows " << node.rows << " in " << node.loops << ")";
  if (node.timed) out << "  (" << node.total_ms << " ms)";
  if (node.never_run) out << "  never run";
  if (node.stops_early) out << "  stops early";
  if (!node.subplan.empty()) out << "  " << node.subplan;
  out << '\n';
  const std::string below = indent + "    ";
  dump_clause(out, below, "index", node.index_cond);
  dump_clause(out, below, "recheck", node.recheck_cond);
  dump_clause(out, below, "filter", node.filter);
  dump_clause(out, below, "join filter", node.join_filter);
  dump_clause(out, below, "join", node.join_cond);
  dump_keys(out, below, "sort", node.sort_key);
  dump_keys(out, below, "presorted", node.presorted_key);
  dump_keys(out, below, "group", node.group_key);
  const auto number = [&](const char* name, double value) {
    if (value > 0) out << below << name << ' ' << value << '\n';
  };
  number("removed by filter", node.removed_by_filter);
  number("removed by join filter", node.removed_by_join_filter);
  number("removed by recheck", node.removed_by_recheck);
  if (!node.sort_method.empty()) {
    out << below << node.sort_method << ' ' << node.sort_space_kb << " kB"
        << (node.sort_on_disk ? " on disk" : "") << '\n';
  }
  number("batches", node.hash_batches);
  number("disk kB", node.disk_usage_kb);
  number("heap fetches", node.heap_fetches);
  number("lossy blocks", node.lossy_blocks);
  number("workers", node.workers_launched);
  number("blocks", node.blocks_hit + node.blocks_read);
  number("temp written", node.temp_blocks_written);
}

inline std::string dump(const Plan& plan) {
  constexpr const char* kValues[] = {"no values", "custom", "generic"};
  std::ostringstream out;
  out.precision(10);
  out << kValues[static_cast<size_t>(plan.values)] << (plan.analyzed ? "" : ", estimates only")
      << (plan.nodes_left_out > 0 ? ", cut" : "") << '\n';
  for (size_t i = 0; i < plan.nodes.size(); ++i)
    dump_node(out, plan, i);
  for (const PlanTrigger& trigger : plan.triggers) {
    out << "trigger " << trigger.name << " constraint " << trigger.constraint << " on "
        << trigger.relation << ": " << trigger.time_ms << " ms, " << trigger.calls << " calls\n";
  }
  return out.str();
}

}  // namespace ectoscope
