#include "parsers/sql_guard.h"

#include <algorithm>
#include <vector>

#include "parsers/sql_lexer.h"
#include "parsers/sql_words.h"

namespace ectoscope {
namespace {

// Adds up heights bracket by bracket: `a + (b * c)` is as high as its inside and the '+'.  What is
// joined by commas, AND or OR lies side by side; operators, joins and UNIONs pile up.
class Measurer {
 public:
  SqlMeasure run(std::string_view text) {
    SqlLexer lexer(text);
    for (SqlToken token = lexer.next(); token.kind != SqlTokenKind::kEnd; token = lexer.next()) {
      ++result_.tokens;
      take(token, text);
    }
    while (levels_.size() > 1)
      pop();
    finish();
    result_.height = std::max(result_.height, level().highest + level().combined);
    return result_;
  }

 private:
  struct Level {
    bool is_case = false;
    uint32_t height = 0;    // of the expression being read
    uint32_t highest = 0;   // of those complete
    uint32_t combined = 0;  // joins and set operations
  };

  void take(const SqlToken& token, std::string_view text) {
    switch (token.kind) {
      case SqlTokenKind::kWord:
        return word(SqlWord::of_any_case(text.substr(token.begin, token.end - token.begin)));
      case SqlTokenKind::kOperator:
      case SqlTokenKind::kCast:
        return grow(1);
      case SqlTokenKind::kOpen:
      case SqlTokenKind::kOpenSquare:
        return push(false);
      case SqlTokenKind::kClose:
      case SqlTokenKind::kCloseSquare:
        while (levels_.size() > 1 && level().is_case)
          pop();  // CASE without END
        return pop();
      case SqlTokenKind::kComma:
      case SqlTokenKind::kSemicolon:
        return finish();
      default:
        return;
    }
  }

  void word(SqlWord known) {
    if (known.is(SqlWord::kResets)) finish();
    if (known.is(SqlWord::kChains)) grow(1);
    if (known.is(SqlWord::kCombines)) ++level().combined;
    if (known.is(SqlWord::kCase)) push(true);
    if (known.is(SqlWord::kEnd) && level().is_case) pop();
  }

  void push(bool is_case) {
    levels_.push_back({is_case});
    result_.depth = std::max(result_.depth, static_cast<uint32_t>(levels_.size() - 1));
  }

  void pop() {
    if (levels_.size() == 1) return;
    finish();
    const Level inner = level();
    levels_.pop_back();
    grow(inner.highest + inner.combined + 1);
  }

  void grow(uint32_t levels) {
    level().height += levels;
    result_.height = std::max(result_.height, level().height + level().combined);
  }

  void finish() {
    level().highest = std::max(level().highest, level().height);
    level().height = 0;
  }

  Level& level() { return levels_.back(); }

  std::vector<Level> levels_{Level{}};
  SqlMeasure result_;
};

}  // namespace

SqlMeasure measure_sql(std::string_view skeleton) {
  return Measurer().run(skeleton);
}

}  // namespace ectoscope
