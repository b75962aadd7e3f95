#include "parsers/json_log.h"

#include <array>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "parsers/byte_scan.h"
#include "parsers/envelope.h"
#include "parsers/envelope_times.h"
#include "parsers/json_members.h"
#include "parsers/json_object.h"
#include "parsers/json_text.h"
#include "parsers/line_words.h"
#include "parsers/stamps.h"

namespace ectoscope {
namespace {

/// A line without what a container runtime put in front of it.
struct RuntimeLine {
  std::string_view text;
  bool goes_on = false;
};

RuntimeLine read_runtime_line(std::string_view line) {
  const size_t stamp = read_rfc3339(line).length;
  if (stamp == 0) return {line, false};
  const std::string_view rest = line.substr(stamp);
  if (rest.starts_with(" stdout P ") || rest.starts_with(" stderr P "))
    return {rest.substr(10), true};
  if (rest.starts_with(" stdout F ") || rest.starts_with(" stderr F "))
    return {rest.substr(10), false};
  return {line, false};
}

struct CnpgLine {
  std::string_view record;
  std::string_view problem;  // a reason of drops(); empty: none
};

CnpgLine open_cnpg(std::string_view line) {
  const size_t brace = line.find('{');
  if (brace == std::string_view::npos) return {{}, "bad_json"};
  JsonMembers members(line.substr(brace));
  CnpgLine opened;
  bool postgres = false;
  while (members.next()) {
    if (members.key() == "logger") postgres = members.value() == "postgres";
    if (members.key() == "record") opened.record = members.value();
  }
  if (!members.whole()) return {{}, "bad_json"};
  // PostgreSQL's own start-up lines have no record.
  if (!postgres || !opened.record.starts_with('{')) opened.problem = "other_program";
  return opened;
}

/// "10.0.0.1:4321", as csvlog's connection_from has it, without the port.
std::string_view host_of(std::string_view connection) {
  return connection.substr(0, connection.rfind(':'));
}

constexpr size_t kMaxHead = 256;  // what kubectl logs --prefix --timestamps puts in front

class JsonLog final : public LogParser {
 public:
  JsonLog(const LogParserOptions& options, bool wrapped)
      : stamps_(options.timezone), phase_texts_(options.phase_texts), wrapped_(wrapped) {}

  size_t parse(std::string_view bytes, bool last, RecordHandler& handler) override {
    const char* const begin = bytes.data();
    const char* const end = begin + bytes.size();
    const char* at = begin;
    while (at != end) {
      const auto* const newline =
          static_cast<const char*>(std::memchr(at, '\n', static_cast<size_t>(end - at)));
      if (newline == nullptr) {
        if (!last) break;
        if (!inside_skipped_) drop("truncated");
        at = end;
        break;
      }
      if (!std::exchange(inside_skipped_, false) && newline != at)
        take_line({at, newline}, base_ + static_cast<uint64_t>(at - begin), handler);
      at = newline + 1;
    }
    at = keep_parts(begin, at, last);
    if (const uint64_t unknown = stamps_.unknown_zones(); unknown != 0)
      drops_.insert_or_assign("unknown_zone", unknown);
    const auto used = static_cast<size_t>(at - begin);
    base_ += used;
    return used;
  }

  void skipped(uint64_t bytes) override {
    base_ += bytes;
    if (!inside_skipped_) drop("too_long");
    inside_skipped_ = true;
  }

  [[nodiscard]] const DropCounts& drops() const override { return drops_; }
  [[nodiscard]] uint64_t records() const override { return records_; }

 private:
  /// A line of which parts are still to come is brought again with them.
  const char* keep_parts(const char* begin, const char* at, bool last) {
    if (parts_.empty()) return at;
    parts_.clear();
    if (!last) return begin + (parts_at_ - base_);
    drop("truncated");
    return at;
  }

  /// Puts a line together that a container runtime cut; false while a part is to come.
  bool join_parts(std::string_view& line, uint64_t& offset) {
    const RuntimeLine read = read_runtime_line(line);
    if (!read.goes_on && parts_.empty()) return true;
    if (parts_.empty()) parts_at_ = offset;
    parts_ += read.text;
    if (read.goes_on) return false;
    joined_.swap(parts_);
    parts_.clear();
    line = joined_;
    offset = parts_at_;
    return true;
  }

  void take_line(std::string_view line, uint64_t offset, RecordHandler& handler) {
    if (wrapped_) {
      if (!join_parts(line, offset)) return;
      const CnpgLine opened = open_cnpg(line);
      if (!opened.problem.empty()) return drop(opened.problem);
      line = opened.record;
    }
    if (!read_json_object(line, values_) || !fill()) return drop("bad_json");
    record_.offset = offset;
    unescape_texts();
    ++records_;
    handler.on_record(record_);
  }

  bool fill() {
    const std::string_view time = values_[JsonKey::kTime].text;
    const Stamp stamp = stamps_.read(time);
    int64_t pid = 0;
    if (stamp.length == 0 || stamp.length != time.size()) return false;
    if (!read_integer(values_[JsonKey::kPid].text, pid) || pid < 0 || pid > INT32_MAX) return false;
    record_ = {};
    record_.at = stamp.at;
    record_.coarse_time = stamp.coarse;
    record_.pid = static_cast<int32_t>(pid);
    record_.session = values_[JsonKey::kSession].text;
    record_.virtual_xid = values_[JsonKey::kVirtualXid].text;
    record_.severity = read_severity(values_[JsonKey::kSeverity].text);
    record_.sqlstate = values_[JsonKey::kSqlState].text;
    record_.has_query_id =
        read_integer(values_[JsonKey::kQueryId].text, record_.query_id) && record_.query_id != 0;
    return true;
  }

  void unescape_texts() {
    static constexpr std::array<JsonKey, 9> kTexts = {
        JsonKey::kUser,    JsonKey::kDatabase,  JsonKey::kHost,
        JsonKey::kMessage, JsonKey::kDetail,    JsonKey::kHint,
        JsonKey::kContext, JsonKey::kStatement, JsonKey::kApplication};
    JsonValue& message = values_[JsonKey::kMessage];
    if (!phase_texts_ && message.escaped) {
      const std::string_view head = message.text.substr(0, message.text.find('\\'));
      if (is_phase_message(head)) message = {head, false};
    }
    size_t needed = 0;
    for (const JsonKey key : kTexts)
      if (values_[key].escaped) needed += values_[key].text.size();
    if (needed > scratch_.size()) scratch_.resize(needed);
    scratch_used_ = 0;
    record_.user = text_of(JsonKey::kUser);
    record_.database = text_of(JsonKey::kDatabase);
    record_.client_host = text_of(JsonKey::kHost);
    if (wrapped_) record_.client_host = host_of(record_.client_host);
    record_.message = text_of(JsonKey::kMessage);
    record_.detail = text_of(JsonKey::kDetail);
    record_.hint = text_of(JsonKey::kHint);
    record_.context = text_of(JsonKey::kContext);
    record_.statement = text_of(JsonKey::kStatement);
    record_.application = text_of(JsonKey::kApplication);
  }

  std::string_view text_of(JsonKey key) {
    const JsonValue& value = values_[key];
    if (!value.escaped) return value.text;
    char* const begin = scratch_.data() + scratch_used_;
    const auto size = static_cast<size_t>(unescape_json(value.text, begin) - begin);
    scratch_used_ += size;
    return {begin, size};
  }

  void drop(std::string_view reason) {
    if (const auto found = drops_.find(reason); found != drops_.end())
      ++found->second;
    else
      drops_.emplace(reason, 1);
  }

  StampReader stamps_;
  bool phase_texts_;
  bool wrapped_;
  DropCounts drops_;
  uint64_t records_ = 0;
  uint64_t base_ = 0;            // offset of the next parse() in the whole input
  bool inside_skipped_ = false;  // what comes next is the rest of a record that was thrown away
  JsonValues values_;
  LogRecord record_;
  std::vector<char> scratch_;
  size_t scratch_used_ = 0;
  std::string parts_;  // of a line that a container runtime cut
  uint64_t parts_at_ = 0;
  std::string joined_;
};

}  // namespace

std::unique_ptr<LogParser> make_json_parser(const LogParserOptions& options) {
  return std::make_unique<JsonLog>(options, false);
}

std::unique_ptr<LogParser> make_cnpg_parser(const LogParserOptions& options) {
  return std::make_unique<JsonLog>(options, true);
}

bool looks_like_cnpg(std::string_view line) {
  const size_t brace = line.find('{');
  if (brace > kMaxHead) return false;  // npos too
  const auto has = [line, brace](std::string_view text) {
    return line.find(text, brace) != std::string_view::npos;
  };
  return (line.substr(brace).starts_with("{\"level\":") && has("\"logger\":") && has("\"msg\":")) ||
         (has("\"logger\":\"postgres\"") && has("\"record\":{"));
}

}  // namespace ectoscope
