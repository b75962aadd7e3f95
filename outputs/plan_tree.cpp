#include "outputs/plan_tree.h"

#include <algorithm>
#include <string>
#include <vector>

#include "outputs/page_frame.h"
#include "outputs/text_layout.h"

namespace ectoscope {
namespace {

constexpr uint32_t kDeepestIndent = 12;
constexpr double kWrongEstimate = 100;  // times

std::string whole(double number) {
  return with_commas(static_cast<uint64_t>(std::clamp(number, 0.0, 1e18)));
}

class PlanTree {
 public:
  PlanTree(HtmlWriter& html, const Plan& plan, std::string_view table)
      : html_(html), plan_(plan), worst_(node_at_fault(plan, table)) {
    for (size_t i = 0; i < plan.nodes.size(); ++i) {
      own_.push_back(plan.root().timed ? self_ms(plan, i) : own_cost(i));
      most_ = std::max(most_, own_.back());
    }
  }

  void write() {
    summary();
    html_.raw(
        "<div class=\"scroll\" tabindex=\"0\"><table class=\"plan\"><thead><tr><th>Step</th>");
    html_.raw(plan_.root().timed ? "<th>Own time</th>" : "<th>Own cost</th>");
    html_.raw(plan_.analyzed ? "<th class=\"n\">Rows</th><th class=\"n\">Thrown away</th>"
                             : "<th class=\"n\">Rows, estimated</th>");
    html_.raw("</tr></thead><tbody>");
    for (size_t i = 0; i < plan_.nodes.size(); ++i)
      row(i);
    html_.raw("</tbody></table></div>");
    triggers();
  }

 private:
  [[nodiscard]] double own_cost(size_t node) const {
    double below = 0;
    for (const PlanNode& other : plan_.nodes) {
      if (other.parent == node) below += other.total_cost;
    }
    return std::max(0.0, plan_.nodes[node].total_cost - below);
  }

  void summary() {
    std::string text = "Took " + readable(plan_.duration) + ". ";
    if (!plan_.analyzed) {
      text +=
          "The plan has estimates only: auto_explain.log_analyze = on would show rows and time. ";
    } else if (!plan_.root().timed) {
      text +=
          "Steps are not timed (auto_explain.log_timing is off): bars show the planner's cost. ";
    }
    if (plan_.values == PlanValues::kGeneric)
      text += "It is generic: planned once for all values. ";
    if (plan_.nodes_left_out > 0) {
      text += count_of(plan_.nodes_left_out, "step", "steps") + " left out. ";
    }
    html_.element("p", {{"class", "note"}}, text);
  }

  void clause(std::string_view name, const PlanClause& clause) {
    if (!clause.empty()) detail(name, clause.text);
  }

  void detail(std::string_view name, std::string_view text) {
    html_.raw("<div class=\"clause\">");
    html_.element("span", {}, name);
    html_.element("code", {}, text);
    html_.raw("</div>");
  }

  static std::string joined(const std::vector<std::string>& parts) {
    std::string text;
    for (const std::string& part : parts)
      text += (text.empty() ? "" : ", ") + part;
    return text;
  }

  void details(const PlanNode& node) {
    if (!node.subplan.empty()) detail("", node.subplan);
    clause("index", node.index_cond);
    clause("join", node.join_cond);
    clause("join filter", node.join_filter);
    clause("filter", node.filter);
    clause("recheck", node.recheck_cond);
    if (!node.sort_key.empty()) detail("by", joined(node.sort_key));
    if (!node.group_key.empty()) detail("group by", joined(node.group_key));
    if (node.sort_on_disk) {
      detail("on disk", readable_bytes(static_cast<uint64_t>(node.sort_space_kb * 1024)));
    } else if (node.disk_usage_kb > 0) {
      detail("on disk", readable_bytes(static_cast<uint64_t>(node.disk_usage_kb * 1024)));
    }
    const double estimate = node.plan_rows * std::max(node.loops, 1.0);
    if (plan_.analyzed && !node.never_run && !node.stops_early) {
      const double low = std::max(1.0, std::min(estimate, node.rows));
      const double high = std::max(estimate, node.rows);
      if (high / low >= kWrongEstimate) detail("estimated", whole(estimate) + " rows");
    }
    if (node.loops > 1) detail("runs", whole(node.loops) + " times");
    if (node.never_run) detail("", "never ran");
  }

  void row(size_t index) {
    const PlanNode& node = plan_.nodes[index];
    html_.open("tr", {{"class", index == worst_ ? "worst" : ""}});
    html_.raw("<td>");
    html_.open("div", {{"class", "node d" + std::to_string(std::min(node.depth, kDeepestIndent))}});
    html_.element("b", {}, label_of(node));
    if (index == worst_ && plan_.nodes.size() > 1) html_.raw(" <em>look here first</em>");
    details(node);
    html_.raw("</div></td><td class=\"time\">");
    const std::string figure = plan_.root().timed
                                   ? readable(Micros(static_cast<int64_t>(own_[index] * 1000)))
                                   : decimal(own_[index], 1);
    share_bar(html_, most_ > 0 ? own_[index] / most_ : 0, figure);
    html_.element("span", {}, figure);
    html_.raw("</td>");
    html_.element("td", {{"class", "n"}}, whole(plan_.analyzed ? node.rows : node.plan_rows));
    if (plan_.analyzed) thrown_away(node);
    html_.raw("</tr>");
  }

  void thrown_away(const PlanNode& node) {
    const double removed =
        node.removed_by_filter + node.removed_by_join_filter + node.removed_by_recheck;
    const bool nearly_all = removed > 100 && removed > 9 * node.rows;
    html_.element("td", {{"class", nearly_all ? "n bad" : "n"}}, removed > 0 ? whole(removed) : "");
  }

  void triggers() {
    if (plan_.triggers.empty()) return;
    html_.raw("<h3>Triggers</h3><ul class=\"plain\">");
    for (const PlanTrigger& trigger : plan_.triggers) {
      const std::string& name = trigger.constraint.empty() ? trigger.name : trigger.constraint;
      html_.element("li", {},
                    name + (trigger.relation.empty() ? "" : " on " + trigger.relation) + ": " +
                        decimal(trigger.time_ms, 1) + " ms in " + whole(trigger.calls) + " calls");
    }
    html_.raw("</ul>");
  }

  HtmlWriter& html_;
  const Plan& plan_;
  size_t worst_;
  std::vector<double> own_;
  double most_ = 0;
};

}  // namespace

void write_plan_tree(HtmlWriter& html, const Plan& plan, std::string_view table) {
  PlanTree(html, plan, table).write();
}

}  // namespace ectoscope
