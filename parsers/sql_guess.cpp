// Facts that words at their usual places tell, for text without a tree.
#include <algorithm>
#include <array>

#include "parsers/sql_facts.h"
#include "parsers/sql_relations.h"
#include "parsers/sql_statement_kind.h"

namespace ectoscope {
namespace {

constexpr size_t kMaxSummary = 255;
constexpr size_t kMaxGuessedTables = 32;
constexpr size_t kMaxGuessedText = size_t{64} << 10U;

// A skeleton's tokens one by one, with the text of each.
class Words {
 public:
  explicit Words(std::string_view text) : text_(text), lexer_(text) { step(); }

  void step() {
    token_ = lexer_.next();
    word_.clear();
    const std::string_view text = text_.substr(token_.begin, token_.end - token_.begin);
    if (token_.kind == SqlTokenKind::kQuotedName) {
      word_ = text;
    } else {
      append_lower(text, word_);
    }
  }
  [[nodiscard]] SqlTokenKind kind() const { return token_.kind; }
  [[nodiscard]] bool done() const { return token_.kind == SqlTokenKind::kEnd; }
  [[nodiscard]] const std::string& word() const { return word_; }
  [[nodiscard]] bool is_name() const {
    return token_.kind == SqlTokenKind::kQuotedName ||
           (token_.kind == SqlTokenKind::kWord && !SqlWord::of(word_).is(SqlWord::kKeyword));
  }
  [[nodiscard]] bool is_keyword(uint32_t bits) const {
    return token_.kind == SqlTokenKind::kWord && SqlWord::of(word_).is(bits);
  }
  [[nodiscard]] std::string name() const {
    if (token_.kind == SqlTokenKind::kQuotedName && word_.size() >= 2) {
      const size_t skip = word_.front() == '"' ? 1 : 3;
      return word_.substr(skip, word_.size() - skip - 1);
    }
    return word_;
  }

 private:
  std::string_view text_;
  SqlLexer lexer_;
  SqlToken token_;
  std::string word_;  // in lower case unless quoted
};

Operation operation_of(std::string_view word) {
  if (word == "select" || word == "values" || word == "table") return Operation::kSelect;
  if (word == "insert") return Operation::kInsert;
  if (word == "update" || word == "merge") return Operation::kUpdate;
  if (word == "delete") return Operation::kDelete;
  static constexpr std::array<std::string_view, 9> kDdl = {
      "create", "alter", "drop", "truncate", "comment", "grant", "revoke", "reindex", "refresh"};
  if (std::find(kDdl.begin(), kDdl.end(), word) != kDdl.end()) return Operation::kDdl;
  return Operation::kOther;
}

// WITH a AS (...) INSERT: the verb outside all brackets.
Operation operation_after_with(Words words) {
  size_t depth = 0;
  for (; !words.done(); words.step()) {
    if (words.kind() == SqlTokenKind::kOpen) ++depth;
    if (words.kind() == SqlTokenKind::kClose && depth > 0) --depth;
    if (depth > 0 || words.kind() != SqlTokenKind::kWord) continue;
    const Operation operation = operation_of(words.word());
    if (operation != Operation::kOther) return operation;
  }
  return Operation::kOther;
}

void guess_tables(Words words, Query& query) {
  while (!words.done() && query.tables.size() < kMaxGuessedTables) {
    const bool named = words.is_keyword(SqlWord::kNamesRelation);
    words.step();
    if (!named || !words.is_name()) continue;
    std::string name = words.name();
    words.step();
    while (words.kind() == SqlTokenKind::kDot) {
      words.step();
      if (!words.is_name()) break;
      name = words.name();
      words.step();
    }
    if (words.kind() == SqlTokenKind::kOpen && query.operation == Operation::kSelect) continue;
    if (std::find(query.tables.begin(), query.tables.end(), name) == query.tables.end()) {
      query.tables.push_back(std::move(name));
    }
  }
}

std::string upper(std::string_view word) {
  std::string text(word);
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  }
  return text;
}

// "CREATE INDEX", "ALTER TABLE": the verb and the kind of thing, where it stands near.
std::string verb_of(const SqlSkeleton& skeleton, Operation operation) {
  static constexpr std::array<std::string_view, 16> kThings = {
      "table",    "index",  "view",   "sequence", "type",   "function", "trigger", "extension",
      "database", "schema", "policy", "role",     "domain", "rule",     "user",    "statistics"};
  Words words(skeleton.text);
  while (!words.done() && words.kind() != SqlTokenKind::kWord)
    words.step();
  std::string verb = upper(words.word());
  if (operation != Operation::kDdl) return verb;
  for (int i = 0; i < 4 && !words.done(); ++i) {
    words.step();
    if (std::find(kThings.begin(), kThings.end(), words.word()) != kThings.end()) {
      return verb + ' ' + upper(words.word());
    }
  }
  return verb;
}

std::string_view verb_of(TransactionVerb verb) {
  switch (verb) {
    case TransactionVerb::kBegin:
      return "BEGIN";
    case TransactionVerb::kCommit:
      return "COMMIT";
    case TransactionVerb::kRollback:
      return "ROLLBACK";
    case TransactionVerb::kSavepoint:
      return "SAVEPOINT";
    case TransactionVerb::kRelease:
      return "RELEASE SAVEPOINT";
    case TransactionVerb::kRollbackTo:
      return "ROLLBACK TO SAVEPOINT";
    case TransactionVerb::kNone:
      break;
  }
  return {};
}

}  // namespace

void guess_facts(const SqlSkeleton& skeleton, Query& query) {
  query.parameters = static_cast<uint16_t>(skeleton.parameters);
  query.literals = static_cast<uint16_t>(std::min<size_t>(skeleton.literals.size(), 65535));
  Words words(std::string_view(skeleton.text).substr(0, kMaxGuessedText));
  while (words.kind() == SqlTokenKind::kOpen)
    words.step();
  if (words.kind() == SqlTokenKind::kWord) {
    query.operation =
        words.word() == "with" ? operation_after_with(words) : operation_of(words.word());
  }
  guess_tables(words, query);
  if (query.operation == Operation::kInsert) query.inserted_rows = skeleton.rows;
  query.system = serves_the_jobs(query) ||
                 (!query.tables.empty() &&
                  std::all_of(query.tables.begin(), query.tables.end(), is_system_table));
}

std::string summarize(const SqlSkeleton& skeleton, const Query& query) {
  std::string summary;
  switch (query.operation) {
    case Operation::kSelect:
      summary = "SELECT";
      break;
    case Operation::kInsert:
      summary = "INSERT";
      break;
    case Operation::kUpdate:
      summary = "UPDATE";
      break;
    case Operation::kDelete:
      summary = "DELETE";
      break;
    case Operation::kTransaction:
      summary = verb_of(query.transaction);
      break;
    default:
      break;
  }
  if (summary.empty()) summary = verb_of(skeleton, query.operation);
  for (const std::string& table : query.tables) {
    if (summary.size() + 1 + table.size() > kMaxSummary) break;
    summary += ' ';
    summary += table;
  }
  if (summary.size() > kMaxSummary) summary.resize(kMaxSummary);
  return summary;
}

}  // namespace ectoscope
