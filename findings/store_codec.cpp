#include "findings/store_codec.h"

#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

namespace ectoscope {
namespace {

using Json = nlohmann::json;

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string encode_files(const std::vector<FileCheckpoint>& files) {
  Json json = Json::array();
  for (const FileCheckpoint& file : files) {
    json.push_back({file.number, file.identity.device, file.identity.inode, file.head_length,
                    file.head_hash, file.read_to, file.resume_at, file.cut, file.copy});
  }
  return dump(json);
}

std::vector<FileCheckpoint> decode_files(const std::string& text) {
  std::vector<FileCheckpoint> files;
  for (const Json& each : Json::parse(text)) {
    files.push_back({each.at(0).get<uint16_t>(),
                     {each.at(1).get<uint64_t>(), each.at(2).get<uint64_t>()},
                     each.at(3).get<uint32_t>(),
                     each.at(4).get<uint64_t>(),
                     each.at(5).get<uint64_t>(),
                     each.at(6).get<uint64_t>(),
                     each.at(7).get<bool>(),
                     each.at(8).get<bool>()});
  }
  return files;
}

std::string encode_life(const StoredFinding& finding) {
  Json json = {
      {"active", finding.active},
      {"live", finding.live},
      {"last_seen", micros(finding.last_seen)},
      {"first", {finding.at_first.child, finding.at_first.parent, finding.at_first.database}},
      {"last", {finding.at_last.child, finding.at_last.parent, finding.at_last.database}}};
  if (finding.resolved_at) json["resolved_at"] = micros(*finding.resolved_at);
  return dump(json);
}

void decode_life(const std::string& text, StoredFinding& finding) {
  const Json json = Json::parse(text);
  finding.active = json.at("active").get<bool>();
  finding.live = json.at("live").get<bool>();
  finding.last_seen = time_at(json.at("last_seen").get<int64_t>());
  if (json.contains("resolved_at"))
    finding.resolved_at = time_at(json.at("resolved_at").get<int64_t>());
  for (auto [name, runs] :
       {std::pair("first", &finding.at_first), std::pair("last", &finding.at_last)}) {
    const Json& each = json.at(name);
    *runs = {each.at(0).get<uint64_t>(), each.at(1).get<uint64_t>(), each.at(2).get<uint64_t>()};
  }
}

std::string encode_facts(const StoredStatement& statement) {
  return dump({{"summary", statement.summary},
               {"fingerprint", statement.fingerprint},
               {"operation", static_cast<int>(statement.operation)},
               {"buckets", statement.durations.buckets},
               {"seconds", statement.durations.sum_seconds},
               {"max_us", statement.max.count()}});
}

void decode_facts(const std::string& text, StoredStatement& statement) {
  const Json json = Json::parse(text);
  constexpr int kOperations = 7;
  statement.summary = json.at("summary").get<std::string>();
  statement.fingerprint = json.at("fingerprint").get<uint64_t>();
  statement.operation = static_cast<Operation>(json.at("operation").get<int>() % kOperations);
  statement.durations.buckets = json.at("buckets").get<decltype(statement.durations.buckets)>();
  statement.durations.sum_seconds = json.at("seconds").get<double>();
  statement.max = Micros(json.at("max_us").get<int64_t>());
}

}  // namespace ectoscope
