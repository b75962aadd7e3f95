#include "core/query.h"

#include <algorithm>

namespace ectoscope {

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
  (*owned_.back())[at % kChunk] = std::move(query);
  size_.store(at + 1, std::memory_order_release);
  return static_cast<QueryId>(at);
}

}  // namespace ectoscope
