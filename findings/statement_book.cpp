#include "findings/statement_book.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "findings/hex.h"

namespace ectoscope {
namespace {

std::string text_key(std::string_view database, std::string_view text) {
  std::string key(database);
  key.push_back('\0');
  return key.append(text);
}

}  // namespace

uint32_t StatementBook::database(std::string_view name) {
  for (size_t i = 0; i < databases_.size(); ++i) {
    if (databases_[i].name == name) return static_cast<uint32_t>(i);
  }
  databases_.emplace_back().name = name;
  return static_cast<uint32_t>(databases_.size() - 1);
}

StatementBook::Entry& StatementBook::entry(uint32_t database, QueryId query) {
  const auto [known, fresh] = by_query_.try_emplace(key(database, query), entries_.size());
  if (!fresh) return *entries_[known->second];
  const std::string& text = queries_[query].text;
  const std::string& name = databases_[database].name;
  // Shapes that differ in what their text does not show are one to people, and one in the store.
  const auto [same, first] = by_text_.try_emplace(text_key(name, text), entries_.size());
  if (!first) {
    known->second = same->second;
    return *entries_[known->second];
  }
  entries_.push_back(std::make_unique<Entry>());
  StoredStatement& is = entries_.back()->is;
  is.database = name;
  is.text = text;
  is.summary = queries_[query].summary;
  is.fingerprint = queries_[query].fingerprint;
  is.operation = queries_[query].operation;
  return *entries_.back();
}

void StatementBook::add(uint32_t database, QueryId query, Micros duration, uint64_t times) {
  Database& of = databases_[database];
  of.by_operation[static_cast<size_t>(queries_[query].operation)].add(duration, times);
  of.executions += times;
  Entry& into = entry(database, query);
  into.is.durations.add(duration, times);
  into.is.max = std::max(into.is.max, duration);
  into.changed = true;
}

uint64_t StatementBook::executions(std::string_view database, QueryId query) const {
  for (size_t i = 0; i < databases_.size(); ++i) {
    if (databases_[i].name != database) continue;
    const auto known = by_query_.find(key(static_cast<uint32_t>(i), query));
    if (known != by_query_.end()) return entries_[known->second]->is.durations.count;
  }
  const auto restored = by_text_.find(text_key(database, queries_[query].text));
  return restored == by_text_.end() ? 0 : entries_[restored->second]->is.durations.count;
}

uint64_t StatementBook::executions(std::string_view database) const {
  for (const Database& each : databases_) {
    if (each.name == database) return each.executions;
  }
  return 0;
}

std::vector<StatementCounts> StatementBook::counts() const {
  std::vector<StatementCounts> counts;
  for (const Database& database : databases_) {
    for (size_t i = 0; i < kOperations; ++i) {
      const DurationHistogram& durations = database.by_operation[i];
      if (durations.count == 0) continue;
      counts.push_back({database.name, static_cast<Operation>(i), durations});
    }
  }
  return counts;
}

std::vector<std::shared_ptr<const QueryStatistics>> StatementBook::heaviest(size_t most) const {
  std::vector<const StoredStatement*> ranked;
  ranked.reserve(entries_.size());
  for (const auto& entry : entries_)
    ranked.push_back(&entry->is);
  const size_t count = std::min(most, ranked.size());
  std::partial_sort(ranked.begin(), ranked.begin() + static_cast<std::ptrdiff_t>(count),
                    ranked.end(), [](const StoredStatement* left, const StoredStatement* right) {
                      if (left->durations.sum_seconds != right->durations.sum_seconds)
                        return left->durations.sum_seconds > right->durations.sum_seconds;
                      return std::tie(left->database, left->text) <
                             std::tie(right->database, right->text);
                    });
  std::vector<std::shared_ptr<const QueryStatistics>> heaviest;
  for (size_t i = 0; i < count; ++i) {
    const StoredStatement& entry = *ranked[i];
    auto shown = std::make_shared<QueryStatistics>();
    shown->server = server_;
    shown->database = entry.database;
    shown->query = {hex16(entry.fingerprint), std::nullopt, entry.text, entry.summary};
    shown->operation = entry.operation;
    shown->durations = entry.durations;
    shown->max = entry.max;
    heaviest.push_back(std::move(shown));
  }
  return heaviest;
}

void StatementBook::restore(StoredStatement statement) {
  databases_[database(statement.database)].executions += statement.durations.count;
  by_text_.emplace(text_key(statement.database, statement.text), entries_.size());
  entries_.push_back(std::make_unique<Entry>(Entry{std::move(statement), false}));
}

void StatementBook::store_changes(std::vector<StoredStatement>& into) {
  for (const auto& entry : entries_) {
    if (std::exchange(entry->changed, false)) into.push_back(entry->is);
  }
}

void StatementBook::store_all_again() {
  for (const auto& entry : entries_)
    entry->changed = true;
}

}  // namespace ectoscope
