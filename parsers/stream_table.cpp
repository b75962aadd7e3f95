#include "parsers/stream_table.h"

namespace ectoscope {
namespace {

bool matches(const Stream& stream, std::string_view server, const LogRecord& record) {
  return stream.application == record.application && stream.database == record.database &&
         stream.client_host == record.client_host && stream.user == record.user &&
         stream.server == server;
}

}  // namespace

StreamTable::StreamTable(size_t capacity) : capacity_(capacity), streams_(1) {}

StreamId StreamTable::intern(std::string_view server, const LogRecord& record, StreamId guess) {
  if (guess != 0 && matches(streams_[guess], server, record)) return guess;
  key_.clear();
  for (const std::string_view field :
       {server, record.database, record.user, record.application, record.client_host}) {
    key_.append(field).push_back('\0');
  }
  if (const auto found = numbers_.find(key_); found != numbers_.end()) return found->second;
  if (streams_.size() >= capacity_) {
    ++overflowed_;
    return 0;
  }
  const auto id = static_cast<StreamId>(streams_.size());
  streams_.push_back({std::string(server), std::string(record.database), std::string(record.user),
                      std::string(record.application), std::string(record.client_host)});
  numbers_.emplace(key_, id);
  return id;
}

}  // namespace ectoscope
