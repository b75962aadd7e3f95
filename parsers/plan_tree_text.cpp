// auto_explain's text format: a line a node, its fields below it, indented.
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <vector>

#include "parsers/plan_builder.h"
#include "parsers/plan_clause.h"
#include "parsers/plan_reader.h"
#include "parsers/plan_text.h"
#include "parsers/plan_tokens.h"

namespace ectoscope {
namespace {

constexpr std::string_view kCost = "  (cost=";
constexpr std::string_view kArrow = "->  ";

/// The number behind `label`; nullopt when it is not there.
std::optional<double> number_after(std::string_view text, std::string_view label) {
  const size_t at = text.find(label);
  if (at == std::string_view::npos) return std::nullopt;
  double value = 0;
  const char* begin = text.data() + at + label.size();
  const auto [end, error] = std::from_chars(begin, text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  return value;
}

size_t indent_of(std::string_view line) {
  return std::min(line.find_first_not_of(" \t"), line.size());
}

std::string_view without_indent(std::string_view line) {
  return line.substr(indent_of(line));
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

/// The lines of the tree; one with an open quote goes on behind its line break.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}

  bool next(std::string_view& line) {
    if (rest_.empty()) return false;
    size_t end = std::min(rest_.find('\n'), rest_.size());
    open_ = open_quote(rest_.substr(0, end));
    while (end < rest_.size() && open_ != 0) {
      const size_t more = std::min(rest_.find('\n', end + 1), rest_.size());
      open_ = open_quote(rest_.substr(end, more - end), open_);
      end = more;
    }
    line = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    while (!line.empty() && line.back() == '\r')
      line.remove_suffix(1);
    return true;
  }

  /// The text ended within a quote.
  [[nodiscard]] bool cut_off() const { return open_ != 0; }

 private:
  std::string_view rest_;
  char open_ = 0;
};

/// Splits at commas that are in no bracket and no quote.
std::vector<std::string_view> list_items(std::string_view text) {
  bool whole = true;
  const std::vector<PlanToken> tokens = plan_tokens(text, 1000, &whole);
  std::vector<std::string_view> items;
  const char* begin = text.data();
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i].kind == PlanTokenKind::kOpen && tokens[i].partner > i) {
      i = tokens[i].partner;
    } else if (tokens[i].kind == PlanTokenKind::kComma) {
      items.emplace_back(begin, static_cast<size_t>(tokens[i].text.data() - begin));
      begin = tokens[i].text.data() + 1;
    }
  }
  items.emplace_back(begin, static_cast<size_t>(text.data() + text.size() - begin));
  for (std::string_view& item : items)
    item = without_indent(item);
  return items;
}

class TextPlan {
 public:
  PlanReading read(std::string_view tree, Micros duration) {
    Lines lines(tree);
    std::string_view line;
    while (lines.next(line)) {
      if (!read_line(line)) return {nullptr, PlanProblem::kTooDeep};
    }
    while (builder_.depth() > 0)
      builder_.close_node();
    if (cut_off_ || lines.cut_off()) return {nullptr, PlanProblem::kCutOff};
    auto plan = builder_.finish(duration);
    if (plan == nullptr) return {nullptr, PlanProblem::kCutOff};
    return {std::move(plan), PlanProblem::kNone};
  }

 private:
  bool read_line(std::string_view line) {
    const size_t indent = indent_of(line);
    const std::string_view text = line.substr(indent);
    if (text.empty()) return true;
    const bool arrow = text.starts_with(kArrow);
    const std::string_view node = arrow ? text.substr(kArrow.size()) : text;
    if ((arrow || !seen_root_) && node.find(kCost) != std::string_view::npos) {
      field_indent_ = arrow ? indent + kArrow.size() + 2 : 2;
      return read_node(node, seen_root_ ? indent + 1 : 0);
    }
    if (arrow) cut_off_ = true;  // a node without its costs
    if (indent == 0) {
      below_tree_ = true;
      read_trigger(text);
    } else if (!below_tree_ && indent == field_indent_) {  // a worker's fields stand deeper
      read_field(text);
    }
    return true;
  }

  bool read_node(std::string_view text, size_t indent) {
    while (!indents_.empty() && indents_.back() >= indent) {
      indents_.pop_back();
      builder_.close_node();
    }
    if (!builder_.open_node()) return false;
    indents_.push_back(indent);
    const size_t costs = text.find(kCost);
    if (!subplan_.empty()) {
      builder_.text("Subplan Name", subplan_);
      builder_.text("Parent Relationship",
                    subplan_.starts_with("SubPlan") ? "SubPlan" : "InitPlan");
    }
    subplan_.clear();
    seen_root_ = true;
    describe(text.substr(0, costs));
    measure(text.substr(costs));
    return true;
  }

  void measure(std::string_view text) {
    const size_t actual = text.find("(actual ");
    const std::string_view estimates = text.substr(0, actual);
    const auto set = [&](std::string_view field, std::optional<double> value) {
      if (value) builder_.number(field, *value);
      return value.has_value();
    };
    set("Startup Cost", number_after(estimates, "(cost="));
    set("Total Cost", number_after(estimates, ".."));
    set("Plan Rows", number_after(estimates, " rows="));
    if (!set("Plan Width", number_after(estimates, " width="))) cut_off_ = true;
    if (text.find("(never executed)") != std::string_view::npos) {
      builder_.number("Actual Loops", 0);
    }
    if (actual == std::string_view::npos) return;
    const std::string_view actuals = text.substr(actual);
    if (set("Actual Startup Time", number_after(actuals, "time="))) {
      set("Actual Total Time", number_after(actuals, ".."));
    }
    set("Actual Rows", number_after(actuals, "rows="));
    if (!set("Actual Loops", number_after(actuals, "loops="))) cut_off_ = true;
  }

  /// "Parallel Index Scan Backward using i on s.t a".
  void describe(std::string_view text) {
    take_prefix(text, "Async ");
    if (take_prefix(text, "Parallel ")) builder_.flag("Parallel Aware", true);
    for (const std::string_view mode : {"Partial ", "Finalize ", "Simple "})
      take_prefix(text, mode);
    const size_t on = text.find(" on ");
    const size_t index = text.substr(0, on).find(" using ");
    std::string_view name = text.substr(0, std::min(index, on));
    if (name.ends_with(" Backward")) {
      name.remove_suffix(std::string_view(" Backward").size());
      builder_.text("Scan Direction", "Backward");
    }
    name_node(name);
    if (on == std::string_view::npos) return;
    if (index != std::string_view::npos) {
      const size_t begin = index + std::string_view(" using ").size();
      builder_.text("Index Name", unquoted(text.substr(begin, on - begin)));
    }
    const std::string_view target = text.substr(on + std::string_view(" on ").size());
    if (name == "Bitmap Index Scan") {
      builder_.text("Index Name", unquoted(target));
    } else {
      read_target(name, target);
    }
  }

  static std::string unquoted(std::string_view name) {
    bool whole = true;
    const std::vector<PlanToken> tokens = plan_tokens(name, 1, &whole);
    return tokens.empty() ? std::string() : plain_name(tokens[0]);
  }

  /// "schema.relation alias".
  void read_target(std::string_view name, std::string_view target) {
    bool whole = true;
    const std::vector<PlanToken> tokens = plan_tokens(target, 8, &whole);
    if (tokens.empty()) return;
    size_t relation = 0;
    if (tokens.size() > 2 && tokens[1].kind == PlanTokenKind::kDot) relation = 2;
    const std::string alias = plain_name(tokens.back());
    const PlanNodeType type = plan_node_type(name);
    const bool table = reads_table(type) || modifies_ || name == "Foreign Scan" ||
                       name == "Sample Scan" || name == "Tid Range Scan";
    if (table) {
      if (relation > 0) builder_.text("Schema", plain_name(tokens[0]));
      builder_.text("Relation Name", plain_name(tokens[relation]));
    }
    builder_.text("Alias", alias);
  }

  /// The text format runs a node's strategy and kind of join into its name.
  void name_node(std::string_view name) {
    modifies_ = false;
    for (const std::string_view operation : {"Insert", "Update", "Delete", "Merge"}) {
      if (name != operation) continue;
      modifies_ = true;
      builder_.text("Operation", operation);
      return builder_.text("Node Type", "ModifyTable");
    }
    struct Aggregate {
      std::string_view name;
      std::string_view strategy;
    };
    constexpr std::array<Aggregate, 4> kAggregates = {{{"Aggregate", "Plain"},
                                                       {"HashAggregate", "Hashed"},
                                                       {"GroupAggregate", "Sorted"},
                                                       {"MixedAggregate", "Mixed"}}};
    for (const Aggregate& aggregate : kAggregates) {
      if (name != aggregate.name) continue;
      builder_.text("Strategy", aggregate.strategy);
      return builder_.text("Node Type", "Aggregate");
    }
    for (const std::string_view join : {"Hash", "Merge", "Nested Loop"}) {
      for (const std::string_view kind :
           {"Left", "Right", "Full", "Semi", "Anti", "Right Semi", "Right Anti"}) {
        if (name != std::string(join) + " " + std::string(kind) + " Join") continue;
        builder_.text("Join Type", kind);
        name = name.substr(0, join.size());
        return builder_.text(
            "Node Type", join == "Nested Loop" ? std::string(join) : std::string(join) + " Join");
      }
    }
    if (name == "Hash Join" || name == "Merge Join" || name == "Nested Loop") {
      builder_.text("Join Type", "Inner");
    }
    builder_.text("Node Type", name);
  }

  void read_field(std::string_view text) {
    if (text.starts_with("Worker ")) return;
    for (const std::string_view head : {"SubPlan ", "InitPlan ", "CTE "}) {
      if (!text.starts_with(head) || text.find(':') != std::string_view::npos) continue;
      subplan_ = text;
      return;
    }
    const size_t colon = text.find(": ");
    if (colon == std::string_view::npos) return;
    const std::string_view field = text.substr(0, colon);
    const std::string_view value = text.substr(colon + 2);
    if (field == "Sort Key" || field == "Presorted Key" || field == "Group Key") {
      for (const std::string_view item : list_items(value))
        builder_.item(field, item);
    } else if (field == "Sort Method") {
      read_sort(value);
    } else if (field == "Full-sort Groups" || field == "Pre-sorted Groups") {
      if (value.find(" Disk: ") != std::string_view::npos) builder_.text("Sort Space Type", "Disk");
    } else if (field == "Buffers") {
      read_buffers(value);
    } else if (field == "Heap Blocks") {
      if (const auto lossy = number_after(value, "lossy=")) {
        builder_.number("Lossy Heap Blocks", *lossy);
      }
    } else if (field == "Buckets" || field == "Batches" || field == "Planned Partitions") {
      read_hash(text);
    } else if (const auto number = number_after(text, ": "); is_count(field) && number) {
      builder_.number(field, *number);
    } else {
      builder_.text(field, value);
    }
  }

  static bool is_count(std::string_view field) {
    return field.starts_with("Rows Removed by ") || field.starts_with("Workers ") ||
           field == "Heap Fetches";
  }

  void read_sort(std::string_view value) {
    const size_t end = std::min(value.find("  "), value.size());
    builder_.text("Sort Method", value.substr(0, end));
    if (const auto disk = number_after(value, "Disk: ")) {
      builder_.number("Sort Space Used", *disk);
      builder_.text("Sort Space Type", "Disk");
    } else if (const auto memory = number_after(value, "Memory: ")) {
      builder_.number("Sort Space Used", *memory);
    }
  }

  void read_hash(std::string_view text) {
    if (const auto batches = number_after(text, "Batches: ")) {
      builder_.number("Hash Batches", *batches);
    }
    if (const auto disk = number_after(text, "Disk Usage: ")) builder_.number("Disk Usage", *disk);
  }

  void read_buffers(std::string_view value) {
    builder_.number("Shared Hit Blocks", 0);  // a count of 0 is not printed
    const size_t temp = std::min(value.find("temp "), value.size());
    const size_t shared = value.find("shared ");
    if (shared != std::string_view::npos) {
      std::string_view blocks = value.substr(shared);
      blocks = blocks.substr(0, blocks.find(','));
      set_blocks("Shared Hit Blocks", blocks, "hit=");
      set_blocks("Shared Read Blocks", blocks, "read=");
    }
    set_blocks("Temp Read Blocks", value.substr(temp), "read=");
    set_blocks("Temp Written Blocks", value.substr(temp), "written=");
  }

  void set_blocks(std::string_view field, std::string_view text, std::string_view label) {
    if (const auto count = number_after(text, label)) builder_.number(field, *count);
  }

  /// "Trigger [name ]for constraint c on t: time=1.0 calls=1".
  void read_trigger(std::string_view text) {
    if (!take_prefix(text, "Trigger ")) return;
    const size_t colon = text.rfind(": ");
    if (colon == std::string_view::npos) return;
    PlanTrigger trigger;
    trigger.time_ms = number_after(text.substr(colon), "time=").value_or(0);
    trigger.calls = number_after(text.substr(colon), "calls=").value_or(0);
    std::string_view head = text.substr(0, colon);
    if (const size_t on = head.rfind(" on "); on != std::string_view::npos) {
      trigger.relation = unquoted(head.substr(on + 4));
      head = head.substr(0, on);
    }
    constexpr std::string_view kConstraint = "for constraint ";
    const size_t constraint = head.find(kConstraint);
    if (constraint != std::string_view::npos) {
      trigger.constraint = unquoted(head.substr(constraint + kConstraint.size()));
      head = head.substr(0, constraint);
    }
    trigger.name = unquoted(head);
    builder_.trigger(std::move(trigger));
  }

  PlanBuilder builder_;
  std::vector<size_t> indents_;  // of the open nodes
  size_t field_indent_ = 2;      // where the fields of the latest node stand
  std::string subplan_;          // of the node to come
  bool seen_root_ = false;
  bool below_tree_ = false;  // triggers, JIT, settings
  bool modifies_ = false;
  bool cut_off_ = false;
};

}  // namespace

PlanReading read_text_plan(std::string_view text, Micros duration) {
  const size_t tree = tree_of_plan(text);
  if (tree == std::string_view::npos) return {nullptr, PlanProblem::kCutOff};
  return TextPlan().read(text.substr(tree), duration);
}

}  // namespace ectoscope
