#include "outputs/plan_lines.h"

#include <cmath>

#include "outputs/text_layout.h"

namespace ectoscope {
namespace {

uint64_t whole(double number) {
  return number < 1e18 ? static_cast<uint64_t>(std::llround(number)) : 0;
}

std::string rows(double number) {
  return count_of(whole(number), "row", "rows");
}

std::string time_of(const Plan& plan, size_t node) {
  const double own = self_ms(plan, node);
  if (own <= 0) return {};
  return ": " + readable(Micros(static_cast<int64_t>(own * 1000))) + " of " +
         readable(plan.duration);
}

std::string counts_of(const Plan& plan, const PlanNode& node) {
  if (!plan.analyzed) {
    return "estimates only: " + rows(node.plan_rows) + ", cost " +
           with_commas(whole(node.total_cost));
  }
  std::string text = rows(node.rows);
  const double removed =
      node.removed_by_filter + node.removed_by_join_filter + node.removed_by_recheck;
  if (removed > 0) text += ", " + with_commas(whole(removed)) + " thrown away";
  const double expected = node.plan_rows * node.loops;
  text += ", " + with_commas(whole(expected)) + " expected";
  if (plan.buffers) {
    text += ", " + count_of(whole(node.blocks_hit + node.blocks_read), "block", "blocks") + " read";
  }
  if (node.temp_blocks_written > 0) {
    text += ", " + readable_bytes(whole(node.temp_blocks_written * 8192)) + " of temporary files";
  }
  return text;
}

}  // namespace

std::vector<std::string> plan_lines(const Plan& plan, std::string_view table) {
  const size_t worst = node_at_fault(plan, table);
  const PlanNode& node = plan.nodes[worst];
  std::vector<std::string> lines = {label_of(node) + time_of(plan, worst)};
  const auto clause = [&](const char* name, const PlanClause& text) {
    if (!text.empty()) lines.push_back(std::string("  ") + name + " " + text.text);
  };
  clause("Index Cond", node.index_cond);
  clause("Filter", node.filter);
  clause("Join Cond", node.join_cond);
  clause("Join Filter", node.join_filter);
  lines.push_back("  " + counts_of(plan, node));
  if (plan.values == PlanValues::kGeneric) lines.back() += "; a generic plan";
  return lines;
}

}  // namespace ectoscope
