// What stands in the store's text columns.  Decoding throws nlohmann::json::exception where the
// text is none of ours.
#pragma once

#include <string>
#include <vector>

#include "findings/stored.h"

namespace ectoscope {

inline int64_t micros(EventTime at) {
  return at.time_since_epoch().count();
}

inline EventTime time_at(int64_t number) {
  return EventTime(Micros(number));
}

std::string encode_files(const std::vector<FileCheckpoint>& files);
std::vector<FileCheckpoint> decode_files(const std::string& text);

/// Whether a finding is active, live, resolved, and what ran when.
std::string encode_life(const StoredFinding& finding);
void decode_life(const std::string& text, StoredFinding& finding);

/// All of a statement but its key and its executions.
std::string encode_facts(const StoredStatement& statement);
void decode_facts(const std::string& text, StoredStatement& statement);

}  // namespace ectoscope
