#include "parsers/plan_builder.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace ectoscope {
namespace {

constexpr uint32_t kLeftOut = UINT32_MAX;
constexpr size_t kNameBytes = 200;  // PostgreSQL's identifiers have at most 63

using Type = PlanNodeType;
using NumberField = std::pair<std::string_view, double PlanNode::*>;

constexpr std::array kNumbers = {
    NumberField{"Startup Cost", &PlanNode::startup_cost},
    NumberField{"Total Cost", &PlanNode::total_cost},
    NumberField{"Plan Rows", &PlanNode::plan_rows},
    NumberField{"Plan Width", &PlanNode::plan_width},
    NumberField{"Actual Startup Time", &PlanNode::startup_ms},
    NumberField{"Actual Total Time", &PlanNode::total_ms},
    NumberField{"Actual Rows", &PlanNode::rows},
    NumberField{"Actual Loops", &PlanNode::loops},
    NumberField{"Rows Removed by Filter", &PlanNode::removed_by_filter},
    NumberField{"Rows Removed by Join Filter", &PlanNode::removed_by_join_filter},
    NumberField{"Rows Removed by Index Recheck", &PlanNode::removed_by_recheck},
    NumberField{"Sort Space Used", &PlanNode::sort_space_kb},
    NumberField{"Hash Batches", &PlanNode::hash_batches},
    NumberField{"HashAgg Batches", &PlanNode::hash_batches},
    NumberField{"Disk Usage", &PlanNode::disk_usage_kb},
    NumberField{"Heap Fetches", &PlanNode::heap_fetches},
    NumberField{"Lossy Heap Blocks", &PlanNode::lossy_blocks},
    NumberField{"Workers Planned", &PlanNode::workers_planned},
    NumberField{"Workers Launched", &PlanNode::workers_launched},
    NumberField{"Shared Hit Blocks", &PlanNode::blocks_hit},
    NumberField{"Shared Read Blocks", &PlanNode::blocks_read},
    NumberField{"Temp Read Blocks", &PlanNode::temp_blocks_read},
    NumberField{"Temp Written Blocks", &PlanNode::temp_blocks_written},
};

using NameField = std::pair<std::string_view, std::string PlanNode::*>;

constexpr std::array kNameFields = {
    NameField{"Strategy", &PlanNode::strategy},
    NameField{"Join Type", &PlanNode::join_type},
    NameField{"Operation", &PlanNode::operation},
    NameField{"Parent Relationship", &PlanNode::relationship},
    NameField{"Subplan Name", &PlanNode::subplan},
    NameField{"Schema", &PlanNode::schema},
    NameField{"Relation Name", &PlanNode::relation},
    NameField{"Alias", &PlanNode::alias},
    NameField{"Index Name", &PlanNode::index},
    NameField{"Sort Method", &PlanNode::sort_method},
};

using ClauseField = std::pair<std::string_view, PlanClause PlanNode::*>;

constexpr std::array kClauses = {
    ClauseField{"Index Cond", &PlanNode::index_cond},
    ClauseField{"Recheck Cond", &PlanNode::recheck_cond},
    ClauseField{"Filter", &PlanNode::filter},
    ClauseField{"Join Filter", &PlanNode::join_filter},
    ClauseField{"Hash Cond", &PlanNode::join_cond},
    ClauseField{"Merge Cond", &PlanNode::join_cond},
};

using ListField = std::pair<std::string_view, std::vector<std::string> PlanNode::*>;

constexpr std::array kLists = {
    ListField{"Sort Key", &PlanNode::sort_key},
    ListField{"Presorted Key", &PlanNode::presorted_key},
    ListField{"Group Key", &PlanNode::group_key},
};

template <typename Table>
auto find_in(const Table& table, std::string_view field) -> decltype(table[0].second) {
  for (const auto& [name, member] : table) {
    if (name == field) return member;
  }
  return nullptr;
}

/// The numbers in "InitPlan 2 (returns $1,$2)".
void add_returned(std::string_view subplan, std::vector<uint16_t>& numbers) {
  const size_t returns = subplan.find("(returns ");
  if (returns == std::string_view::npos) return;
  for (size_t at = subplan.find('$', returns); at != std::string_view::npos;
       at = subplan.find('$', at + 1)) {
    uint16_t number = 0;
    std::from_chars(subplan.data() + at + 1, subplan.data() + subplan.size(), number);
    numbers.push_back(number);
  }
}

/// Takes all rows from below before it gives one on.
bool blocks(const PlanNode& node) {
  return node.type == Type::kSort || node.type == Type::kHash || node.type == Type::kModifyTable ||
         (node.type == Type::kAggregate && node.strategy != "Sorted");
}

}  // namespace

bool PlanBuilder::open_node() {
  if (open_.size() == PlanLimits::kDepth) return false;
  if (plan_->nodes.size() == PlanLimits::kNodes) {
    ++plan_->nodes_left_out;
    open_.push_back(kLeftOut);
    return true;
  }
  PlanNode& node = plan_->nodes.emplace_back();
  if (!open_.empty()) node.parent = open_.back();  // never left out: those come last
  node.depth = static_cast<uint32_t>(open_.size());
  open_.push_back(static_cast<uint32_t>(plan_->nodes.size() - 1));
  return true;
}

void PlanBuilder::close_node() {
  open_.pop_back();
}

PlanNode* PlanBuilder::current() {
  if (open_.empty() || open_.back() == kLeftOut) return nullptr;
  return &plan_->nodes[open_.back()];
}

size_t PlanBuilder::room() const {
  const size_t left = PlanLimits::kAllText - std::min(text_bytes_, PlanLimits::kAllText);
  return std::min(left, PlanLimits::kText);
}

PlanClause PlanBuilder::clause(std::string_view value) {
  PlanClause clause = read_clause(value, room(), facts_);
  text_bytes_ += clause.text.size();
  for (const PlanCondition& condition : clause.conditions)
    text_bytes_ += condition.expression.size();
  if (text_bytes_ >= PlanLimits::kAllText) clause.conditions.clear();
  return clause;
}

std::string PlanBuilder::key(std::string_view value) {
  std::string text = without_literals(value, room());
  text_bytes_ += text.size();
  return text;
}

void PlanBuilder::text(std::string_view field, std::string_view value) {
  PlanNode* node = current();
  if (node == nullptr) return;
  if (field == "Node Type") {
    node->name = value.substr(0, kNameBytes);
    node->type = plan_node_type(node->name);
  } else if (field == "Scan Direction") {
    node->backward = value == "Backward";
  } else if (field == "Sort Space Type") {
    node->sort_on_disk = value == "Disk";
  } else if (const auto clause_member = find_in(kClauses, field); clause_member != nullptr) {
    node->*clause_member = clause(value);
  } else if (const auto name_member = find_in(kNameFields, field); name_member != nullptr) {
    node->*name_member = value.substr(0, kNameBytes);
    if (field == "Subplan Name") add_returned(value, internal_);
  }
}

void PlanBuilder::item(std::string_view field, std::string_view value) {
  PlanNode* node = current();
  const auto member = find_in(kLists, field);
  if (node == nullptr || member == nullptr) return;
  auto& list = node->*member;
  if (list.size() < PlanLimits::kConditions) list.push_back(key(value));
}

void PlanBuilder::number(std::string_view field, double value) {
  PlanNode* node = current();
  const auto member = find_in(kNumbers, field);
  if (node == nullptr || member == nullptr || !(value >= 0)) return;
  node->*member = value;
  if (field == "Actual Loops") {
    plan_->analyzed = true;
    node->never_run = value == 0;
  } else if (field == "Actual Total Time") {
    node->timed = true;
  } else if (field == "Shared Hit Blocks") {
    plan_->buffers = true;
  }
}

void PlanBuilder::flag(std::string_view field, bool value) {
  PlanNode* node = current();
  if (node != nullptr && field == "Parallel Aware") node->parallel = value;
}

void PlanBuilder::trigger(PlanTrigger trigger) {
  if (plan_->triggers.size() == PlanLimits::kTriggers) return;
  for (std::string* name : {&trigger.name, &trigger.constraint, &trigger.relation}) {
    if (name->size() > kNameBytes) name->resize(kNameBytes);
  }
  plan_->triggers.push_back(std::move(trigger));
}

void PlanBuilder::multiply(PlanNode& node) const {
  for (double* value : {&node.rows, &node.total_ms, &node.removed_by_filter,
                        &node.removed_by_join_filter, &node.removed_by_recheck}) {
    *value *= node.loops;
  }
}

bool PlanBuilder::stops_early(size_t index) const {
  const PlanNode& node = plan_->nodes[index];
  if (node.parent == PlanNode::kNoParent) return false;
  if (node.relationship == "SubPlan" || node.relationship == "InitPlan") return true;
  const PlanNode& parent = plan_->nodes[node.parent];
  if (parent.type == Type::kLimit || parent.type == Type::kMergeJoin) return true;
  const bool half_join = parent.join_type == "Semi" || parent.join_type == "Anti";
  return half_join || (parent.stops_early && !blocks(parent));
}

PlanValues PlanBuilder::values() const {
  for (const uint16_t number : facts_.parameters) {
    if (number == 0) continue;
    if (std::find(internal_.begin(), internal_.end(), number) == internal_.end()) {
      return PlanValues::kGeneric;
    }
  }
  return facts_.literals ? PlanValues::kCustom : PlanValues::kNone;
}

std::shared_ptr<const Plan> PlanBuilder::finish(Micros duration) {
  if (plan_->nodes.empty()) return nullptr;
  plan_->duration = duration;
  for (size_t i = 0; i < plan_->nodes.size(); ++i) {
    PlanNode& node = plan_->nodes[i];
    if (plan_->analyzed) multiply(node);
    node.stops_early = stops_early(i);
    if (node.type == Type::kOther && node.name.empty()) node.name = "Unknown";
  }
  plan_->values = values();
  plan_->structure = structure_of(*plan_);
  plan_->nodes.shrink_to_fit();
  return std::move(plan_);
}

}  // namespace ectoscope
