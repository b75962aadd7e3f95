#include "core/query.h"

#include <algorithm>

namespace ectoscope {

QueryTable::QueryTable(size_t capacity) : capacity_(std::min(capacity, kMaxCapacity)) {
  add(Query{});  // kNoQuery
}

QueryId QueryTable::add(Query query) {
  const std::lock_guard lock(adding_);
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
