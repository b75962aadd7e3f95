#include "core/query.h"

#include <algorithm>

namespace ectoscope {
namespace {

/// A table may hold a hundred thousand, and they stay as they are: no room to grow is kept.
void trim(Query& query) {
  query.text.shrink_to_fit();
  query.canonical.shrink_to_fit();
  query.summary.shrink_to_fit();
  query.tables.shrink_to_fit();
  query.predicates.shrink_to_fit();
  query.order_by.shrink_to_fit();
  query.equal_slots.shrink_to_fit();
}

}  // namespace

QueryTable::QueryTable(size_t capacity) : capacity_(std::min(capacity, kMaxCapacity)) {
  add(Query{});  // kNoQuery
}

QueryId QueryTable::add(Query query) {
  const std::lock_guard lock(adding_);
  return add_locked(std::move(query));
}

QueryId QueryTable::find_or_add(Query query, uint64_t identity) {
  const std::lock_guard lock(adding_);
  if (const auto found = identities_.find(identity); found != identities_.end()) {
    return found->second;
  }
  const QueryId id = add_locked(std::move(query));
  if (id != kNoQuery) identities_.emplace(identity, id);
  return id;
}

QueryId QueryTable::add_locked(Query query) {
  const size_t at = size_.load(std::memory_order_relaxed);
  if (at >= capacity_ && at > 0) return kNoQuery;
  if (at % kChunk == 0) {
    owned_.push_back(std::make_unique<Chunk>());
    chunks_[at / kChunk].store(owned_.back().get(), std::memory_order_release);
  }
  query.id = static_cast<QueryId>(at);
  trim(query);
  (*owned_.back())[at % kChunk] = std::move(query);
  size_.store(at + 1, std::memory_order_release);
  return static_cast<QueryId>(at);
}

}  // namespace ectoscope
