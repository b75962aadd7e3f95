#include "parsers/sql_words.h"

#include <array>
#include <cstring>

namespace ectoscope {
namespace {

struct Entry {
  std::string_view word;
  uint32_t bits = 0;
};

using W = SqlWord;
constexpr uint32_t kClause = W::kKeyword | W::kSpaceBefore | W::kUnarySign | W::kResets;
constexpr uint32_t kInfix = W::kKeyword | W::kSpaceBefore | W::kUnarySign | W::kChains;
constexpr uint32_t kPlain = W::kKeyword | W::kSpaceBefore;
constexpr uint32_t kJoins = W::kKeyword | W::kSpaceBefore | W::kResets | W::kCombines;
constexpr uint32_t kRelation = W::kNamesRelation;

constexpr Entry kEntries[] = {
    {"select", kClause | W::kSelect},
    {"from", kClause | kRelation},
    {"where", kClause},
    {"and", kClause},
    {"or", kClause},
    {"on", kClause},
    {"having", kClause},
    {"limit", kClause},
    {"offset", kClause},
    {"by", kClause},
    {"when", kClause},
    {"then", kClause},
    {"else", kClause},
    {"returning", kClause},
    {"set", kClause | W::kSet},
    {"values", kClause | W::kValues},
    {"with", kClause},
    {"group", kPlain | W::kResets},
    {"order", kPlain | W::kResets},
    {"window", kPlain | W::kResets},
    {"partition", kPlain | W::kResets},
    {"over", kPlain | W::kResets},
    {"filter", kPlain | W::kResets},
    {"using", kClause | kRelation},
    {"insert", kPlain},
    {"into", kPlain | kRelation},
    {"update", kPlain | kRelation},
    {"delete", kPlain},
    {"merge", kPlain},
    {"conflict", kPlain},
    {"do", kPlain},
    {"nothing", kPlain},
    {"as", kPlain},
    {"distinct", kPlain | W::kUnarySign},
    {"all", W::kKeyword},
    {"any", W::kKeyword},
    {"some", W::kKeyword},
    {"exists", W::kKeyword},
    {"asc", kPlain},
    {"desc", kPlain},
    {"nulls", kPlain},
    {"first", 0},
    {"last", 0},
    {"for", kPlain},
    {"skip", 0},
    {"locked", 0},
    {"nowait", kPlain},
    {"only", kPlain | kRelation},
    {"lateral", kPlain},
    {"join", kJoins | kRelation},
    {"inner", kPlain},
    {"left", W::kKeyword},
    {"right", W::kKeyword},
    {"full", kPlain},
    {"outer", kPlain},
    {"cross", kPlain},
    {"natural", kPlain},
    {"union", kJoins},
    {"intersect", kJoins},
    {"except", kJoins},
    {"not", kInfix},
    {"is", kInfix},
    {"in", kInfix | W::kIn},
    {"like", kInfix},
    {"ilike", kInfix},
    {"similar", kInfix},
    {"between", kInfix},
    {"collate", kInfix},
    {"escape", kInfix},
    {"isnull", kInfix},
    {"notnull", kInfix},
    {"overlaps", kInfix},
    {"at", W::kChains},
    {"operator", W::kChains},
    {"array", W::kKeyword | W::kArray},
    {"null", W::kKeyword | W::kConstant},
    {"true", W::kKeyword | W::kConstant},
    {"false", W::kKeyword | W::kConstant},
    {"default", W::kKeyword},
    {"case", kPlain | W::kUnarySign | W::kCase},
    {"end", W::kKeyword | W::kEnd},
    {"cast", W::kKeyword},
    {"uescape", W::kUescape},
    {"to", kPlain | W::kUnarySign | W::kTo},
    {"role", W::kRole},
    {"authorization", W::kKeyword | W::kRole},
    {"create", kPlain},
    {"alter", kPlain},
    {"drop", kPlain},
    {"add", kPlain},
    {"column", kPlain},
    {"constraint", kPlain},
    {"primary", kPlain},
    {"key", 0},
    {"foreign", kPlain},
    {"references", kPlain | kRelation},
    {"unique", kPlain},
    {"check", kPlain},
    {"table", kPlain | kRelation},
    {"index", kPlain},
    {"concurrently", kPlain},
    {"if", kPlain},
    {"type", 0},
    {"begin", kPlain},
    {"commit", kPlain},
    {"rollback", kPlain},
    {"savepoint", kPlain},
    {"release", kPlain},
    {"transaction", kPlain},
    {"show", kPlain},
    {"lock", kPlain},
    {"truncate", kPlain | kRelation},
    {"explain", kPlain},
    {"analyze", kPlain},
    {"copy", kPlain | kRelation},
    {"declare", kPlain},
    {"fetch", kPlain},
    {"cursor", kPlain},
    {"recursive", kPlain},
    {"materialized", kPlain},
    {"local", 0},
    {"user", W::kKeyword},
    {"current_user", W::kKeyword},
    {"varchar", W::kTypeWithNumber},
    {"char", W::kTypeWithNumber},
    {"character", W::kTypeWithNumber},
    {"varying", W::kTypeWithNumber},
    {"numeric", W::kTypeWithNumber},
    {"decimal", W::kTypeWithNumber},
    {"timestamp", W::kTypeWithNumber},
    {"timestamptz", W::kTypeWithNumber},
    {"time", W::kTypeWithNumber},
    {"timetz", W::kTypeWithNumber},
    {"interval", W::kTypeWithNumber | W::kUnarySign},
    {"bit", W::kTypeWithNumber},
    {"varbit", W::kTypeWithNumber},
    {"float", W::kTypeWithNumber},
};

constexpr size_t kSlots = 1024;  // power of two, about seven times the words

constexpr size_t slot_of(std::string_view word) {
  uint64_t hash = word.size() * 0x9E3779B97F4A7C15ULL;
  for (size_t i = 0; i < word.size() && i < 6; ++i) {
    hash = (hash ^ static_cast<unsigned char>(word[i])) * 0x100000001B3ULL;
  }
  return static_cast<size_t>((hash ^ (hash >> 29U)) % kSlots);
}

constexpr std::array<Entry, kSlots> make_table() {
  std::array<Entry, kSlots> table{};
  for (const Entry& entry : kEntries) {
    size_t slot = slot_of(entry.word);
    while (!table[slot].word.empty())
      slot = (slot + 1) % kSlots;
    table[slot] = entry;
  }
  return table;
}

constexpr std::array<Entry, kSlots> kTable = make_table();
constexpr size_t kLongestWord = 13;  // authorization

}  // namespace

void append_lower(std::string_view word, std::string& out) {
  for (const char c : word)
    out += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

SqlWord SqlWord::of_any_case(std::string_view word) {
  if (word.size() > kLongestWord) return {};
  std::array<char, kLongestWord> lower{};
  for (size_t i = 0; i < word.size(); ++i)
    lower[i] = word[i] >= 'A' && word[i] <= 'Z' ? static_cast<char>(word[i] + 32) : word[i];
  return of({lower.data(), word.size()});
}

SqlWord SqlWord::of(std::string_view lower) {
  if (lower.size() < 2 || lower.size() > kLongestWord) return {};
  const char last = lower.back();  // no word of SQL's ends in a digit; an alias of Ecto's does
  if (last >= '0' && last <= '9') return {};
  for (size_t slot = slot_of(lower); !kTable[slot].word.empty(); slot = (slot + 1) % kSlots) {
    if (kTable[slot].word == lower) return SqlWord(kTable[slot].bits);
  }
  return {};
}

}  // namespace ectoscope
