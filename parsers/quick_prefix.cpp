#include "parsers/quick_prefix.h"

#include <algorithm>
#include <cstring>

#include "parsers/byte_scan.h"

namespace ectoscope {
namespace {

constexpr size_t kMaxLiteral = 8;
constexpr std::ptrdiff_t kReach = 16;

}  // namespace

QuickPrefix::QuickPrefix(const PrefixOps& prefix) : session_ops_(prefix.session_ops) {
  const bool simple = std::all_of(prefix.ops.begin(), prefix.ops.end(), [](const PrefixOp& op) {
    const bool delimited = op.field == PrefixField::kNothing || !op.after.empty();
    return !op.padded && delimited && op.after.size() <= kMaxLiteral;
  });
  if (!simple) return;
  for (const PrefixOp& op : prefix.ops)
    ops_.push_back(make_op(op));
}

QuickPrefix::Op QuickPrefix::make_op(const PrefixOp& source) {
  Op op;
  op.field = source.field;
  op.name = is_name(source.field);
  if (!source.after.empty()) op.first = source.after[0];
  op.after_size = static_cast<uint8_t>(source.after.size());
  std::memcpy(&op.after_bytes, source.after.data(), source.after.size());
  std::memset(&op.after_mask, 0xFF, source.after.size());
  op.blanks = op.field == PrefixField::kApplication || op.field == PrefixField::kText;
  switch (op.field) {
    case PrefixField::kNothing:
      op.kind = Kind::kLiteral;
      break;
    case PrefixField::kStamp:
    case PrefixField::kFineStamp:
    case PrefixField::kEpoch:
    case PrefixField::kSessionStart:
      op.kind = Kind::kStamp;
      break;
    case PrefixField::kPid:
      op.kind = Kind::kPid;
      break;
    case PrefixField::kQueryId:
      op.kind = Kind::kQueryId;
      break;
    case PrefixField::kHost:
      op.kind = Kind::kHost;
      break;
    case PrefixField::kUser:
      op.view = &LogRecord::user;
      break;
    case PrefixField::kDatabase:
      op.view = &LogRecord::database;
      break;
    case PrefixField::kApplication:
      op.view = &LogRecord::application;
      break;
    case PrefixField::kSession:
      op.view = &LogRecord::session;
      break;
    case PrefixField::kVirtualXid:
      op.view = &LogRecord::virtual_xid;
      break;
    case PrefixField::kSqlState:
      op.view = &LogRecord::sqlstate;
      break;
    case PrefixField::kText:
    case PrefixField::kNumber:
      op.kind = Kind::kSkipped;
      break;
  }
  return op;
}

[[gnu::always_inline]] inline const char* QuickPrefix::read(const Op& op, const char* at,
                                                            PrefixMatching& matching) {
  if (op.kind == Kind::kStamp) return read_stamp(op.field, at, matching);
  if (op.kind == Kind::kPid) return read_pid(at, matching);
  if (op.kind == Kind::kQueryId) return read_query_id(at, matching);
  const uint32_t ends = byte_mask16(at, op.first);
  if (ends == 0) return nullptr;
  const auto length = static_cast<unsigned>(__builtin_ctz(ends));
  if (!op.blanks && (byte_mask16(at, ' ') & ((1U << length) - 1)) != 0) return nullptr;
  std::string_view value(at, length);
  if (op.name && matching.head.name_at == 0)
    matching.head.name_at = static_cast<size_t>(at - matching.begin);
  if (*at == '[' && value == "[unknown]") value = {};
  if (op.kind == Kind::kView)
    matching.record.*op.view = value;
  else if (op.kind == Kind::kHost)
    matching.record.client_host = without_port(value);
  return at + length;
}

bool QuickPrefix::match(PrefixMatching& matching) const {
  const char* at = matching.begin;
  const Op* const ops = ops_.data();
  const size_t count = ops_.size();
  if (count == 0) return false;
  for (size_t index = 0; index < count; ++index) {
    const Op& op = ops[index];
    if (matching.end - at < kReach) return false;
    if (index == session_ops_ && *at >= 'A' && *at <= 'Z' && finish_head(at, true, matching))
      return true;
    if (op.kind != Kind::kLiteral) {
      at = read(op, at, matching);
      if (at == nullptr || matching.end - at < static_cast<std::ptrdiff_t>(kMaxLiteral))
        return false;
    }
    uint64_t bytes = 0;
    std::memcpy(&bytes, at, sizeof bytes);
    if ((bytes & op.after_mask) != op.after_bytes) return false;
    at += op.after_size;
  }
  return finish_head(at, false, matching);
}

}  // namespace ectoscope
