#include <charconv>
#include <string>

#include "parsers/json_text.h"
#include "parsers/plan_builder.h"
#include "parsers/plan_reader.h"

namespace ectoscope {
namespace {

/// Walks over one JSON text without a tree of it.  After the first problem nothing moves.
class JsonCursor {
 public:
  explicit JsonCursor(std::string_view text) : text_(text) {}

  [[nodiscard]] PlanProblem problem() const { return problem_; }
  [[nodiscard]] bool failed() const { return problem_ != PlanProblem::kNone; }

  void fail(PlanProblem problem) {
    if (!failed()) problem_ = problem;
  }

  /// The next character that is no blank; 0 at the end, which is a problem.
  char peek() {
    while (!failed() && at_ < text_.size() && blank(text_[at_]))
      ++at_;
    if (failed()) return 0;
    if (at_ < text_.size()) return text_[at_];
    fail(PlanProblem::kCutOff);
    return 0;
  }

  /// Takes `wanted` if it is next.
  bool take(char wanted) {
    if (peek() != wanted) return false;
    ++at_;
    return true;
  }

  void expect(char wanted) {
    if (!take(wanted)) fail(PlanProblem::kNotJson);
  }

  /// Between its quotes, escapes and all.
  std::string_view raw_string() {
    expect('"');
    const size_t begin = at_;
    for (; !failed() && at_ < text_.size(); ++at_) {
      if (text_[at_] == '\\') {
        ++at_;
      } else if (text_[at_] == '"') {
        return text_.substr(begin, at_++ - begin);
      }
    }
    fail(PlanProblem::kCutOff);
    return {};
  }

  /// Valid until the next call.
  std::string_view string() {
    const std::string_view raw = raw_string();
    if (raw.find('\\') == std::string_view::npos) return raw;
    scratch_.resize(raw.size());
    const char* end = unescape_json(raw, scratch_.data());
    return {scratch_.data(), static_cast<size_t>(end - scratch_.data())};
  }

  double number() {
    double value = 0;
    const char* begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (error != std::errc()) fail(PlanProblem::kNotJson);
    at_ += static_cast<size_t>(end - begin);
    return value;
  }

  /// true, false or null.
  bool word() {
    const size_t begin = at_;
    while (at_ < text_.size() && text_[at_] >= 'a' && text_[at_] <= 'z')
      ++at_;
    const std::string_view word = text_.substr(begin, at_ - begin);
    if (word != "true" && word != "false" && word != "null") {
      fail(at_ == text_.size() ? PlanProblem::kCutOff : PlanProblem::kNotJson);
    }
    return word == "true";
  }

  /// Any value, however deep, without recursion.
  void skip() {
    size_t depth = 0;
    do {
      switch (peek()) {
        case '"':
          raw_string();
          break;
        case '{':
        case '[':
          ++at_;
          ++depth;
          break;
        case '}':
        case ']':
          if (depth == 0) return fail(PlanProblem::kNotJson);
          ++at_;
          --depth;
          break;
        case ',':
        case ':':
          if (depth == 0) return fail(PlanProblem::kNotJson);
          ++at_;
          break;
        default:
          scalar();
      }
    } while (depth > 0 && !failed());
  }

 private:
  static bool blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

  void scalar() {
    const char c = peek();
    if (c == '-' || (c >= '0' && c <= '9')) {
      number();
    } else if (!failed()) {
      word();
    }
  }

  std::string_view text_;
  size_t at_ = 0;
  PlanProblem problem_ = PlanProblem::kNone;
  std::string scratch_;
};

class JsonPlan {
 public:
  explicit JsonPlan(std::string_view text) : json_(text) {}

  PlanReading read(Micros duration) {
    json_.expect('{');
    do {
      const std::string key(json_.string());
      json_.expect(':');
      if (key == "Plan" && builder_.depth() == 0 && !seen_plan_) {
        read_tree();
      } else if (key == "Triggers" && json_.peek() == '[') {
        read_triggers();
      } else {
        json_.skip();
      }
    } while (json_.take(',') && !json_.failed());
    json_.expect('}');
    if (json_.failed()) return {nullptr, json_.problem()};
    auto plan = builder_.finish(duration);
    if (plan == nullptr) return {nullptr, PlanProblem::kNotJson};
    return {std::move(plan), PlanProblem::kNone};
  }

 private:
  void open() {
    json_.expect('{');
    if (!json_.failed() && !builder_.open_node()) json_.fail(PlanProblem::kTooDeep);
  }

  /// A tree of any depth without recursion: the builder knows what is open.
  void read_tree() {
    seen_plan_ = true;
    open();
    while (builder_.depth() > 0 && !json_.failed()) {
      if (json_.take('}')) {
        builder_.close_node();
        if (builder_.depth() > 0) after_child();
        continue;
      }
      json_.take(',');
      const std::string key(json_.string());
      json_.expect(':');
      if (key == "Plans") {
        json_.expect('[');
        if (!json_.take(']')) open();
      } else {
        read_field(key);
      }
    }
  }

  void after_child() {
    if (json_.take(',')) {
      open();
    } else {
      json_.expect(']');
    }
  }

  void read_field(const std::string& key) {
    switch (json_.peek()) {
      case '"':
        return builder_.text(key, json_.string());
      case '[':
        return read_list(key);
      case 't':
      case 'f':
        return builder_.flag(key, json_.word());
      case '-':
      case '0':
      case '1':
      case '2':
      case '3':
      case '4':
      case '5':
      case '6':
      case '7':
      case '8':
      case '9':
        return builder_.number(key, json_.number());
      default:
        json_.skip();
    }
  }

  void read_list(const std::string& key) {
    json_.expect('[');
    if (json_.take(']')) return;
    do {
      if (json_.peek() == '"') {
        builder_.item(key, json_.string());
      } else {
        json_.skip();
      }
    } while (json_.take(','));
    json_.expect(']');
  }

  void read_triggers() {
    json_.expect('[');
    if (json_.take(']')) return;
    do {
      read_trigger();
    } while (json_.take(',') && !json_.failed());
    json_.expect(']');
  }

  void read_trigger() {
    PlanTrigger trigger;
    json_.expect('{');
    if (json_.take('}')) return;
    do {
      const std::string key(json_.string());
      json_.expect(':');
      if (json_.failed()) return;
      if (json_.peek() == '"') {
        const std::string_view value = json_.string();
        if (key == "Trigger Name") trigger.name = value;
        if (key == "Constraint Name") trigger.constraint = value;
        if (key == "Relation") trigger.relation = value;
      } else if (key == "Time") {
        trigger.time_ms = json_.number();
      } else if (key == "Calls") {
        trigger.calls = json_.number();
      } else {
        json_.skip();
      }
    } while (json_.take(','));
    json_.expect('}');
    builder_.trigger(std::move(trigger));
  }

  JsonCursor json_;
  PlanBuilder builder_;
  bool seen_plan_ = false;
};

}  // namespace

PlanReading read_json_plan(std::string_view text, Micros duration) {
  return JsonPlan(text).read(duration);
}

}  // namespace ectoscope
