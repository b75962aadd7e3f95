#include "parsers/csv_log.h"

#include <array>
#include <cstring>
#include <vector>

#include "parsers/byte_scan.h"
#include "parsers/line_words.h"
#include "parsers/stamps.h"

namespace ectoscope {
namespace {

constexpr size_t kMinColumns = 23;
constexpr size_t kMaxColumns = 26;

// Columns as they are numbered in PostgreSQL's documentation, from 0.
enum Column : size_t {
  kTime = 0,
  kUser = 1,
  kDatabase = 2,
  kPid = 3,
  kConnection = 4,
  kSession = 5,
  kVirtualXid = 9,
  kSeverity = 11,
  kSqlState = 12,
  kMessage = 13,
  kDetail = 14,
  kHint = 15,
  kContext = 18,
  kStatement = 19,
  kApplication = 22,
  kQueryId = 25
};

// Columns that PostgreSQL never puts in quotes; it always does so with all others.
constexpr uint32_t kPlainColumns = 1U << 0U | 1U << 3U | 1U << 5U | 1U << 6U | 1U << 8U | 1U << 9U |
                                   1U << 10U | 1U << 11U | 1U << 12U | 1U << 17U | 1U << 20U |
                                   1U << 24U | 1U << 25U;

struct Cell {
  std::string_view text;  // between the quotes
  bool doubled = false;   // holds quotes, each twice
};

struct Row {
  std::array<Cell, kMaxColumns> cells;
  size_t columns = 0;
  size_t doubled_bytes = 0;   // of the cells with quotes
  const char* end = nullptr;  // behind the line break
};

enum class Outcome : uint8_t { kRow, kBroken, kUnfinished };

/// The quote that ends the cell whose text begins at `at`; null when it is not there.
const char* closing_quote(const char* at, const char* end, bool& doubled) {
  uint64_t outside = 0;  // all ones while an odd number of quotes has been seen
  while (static_cast<size_t>(end - at) > kScanWidth) {
    const uint64_t quotes = byte_mask(at, '"');
    if (quotes != 0) {
      const uint64_t next = quotes >> 1U | uint64_t{at[kScanWidth] == '"'} << 63U;
      const uint64_t parity = running_parity(quotes) ^ outside;
      if (const uint64_t closing = quotes & parity & ~next; closing != 0) {
        const auto place = static_cast<unsigned>(__builtin_ctzll(closing));
        doubled = doubled || (quotes & ((uint64_t{1} << place) - 1)) != 0;
        return at + place;
      }
      doubled = true;
      outside = uint64_t{0} - (parity >> 63U);
    }
    at += kScanWidth;
  }
  // A quote that the last block left open is the first of two.
  if (outside != 0 && at != end) ++at;
  for (; at != end; ++at) {
    if (*at != '"') continue;
    if (at + 1 == end || at[1] != '"') return at;
    doubled = true;
    ++at;
  }
  return nullptr;
}

Outcome read_quoted(const char*& at, const char* end, Cell& cell) {
  const char* const begin = at + 1;
  const char* quote = nullptr;
  cell.doubled = false;
  if (end - begin > 16) {  // most cells are short
    const uint32_t quotes = byte_mask16(begin, '"');
    if (quotes != 0) {
      const char* const first = begin + __builtin_ctz(quotes);
      if (first[1] != '"') quote = first;
    }
  }
  if (quote == nullptr) quote = closing_quote(begin, end, cell.doubled);
  if (quote == nullptr || quote + 1 == end) return Outcome::kUnfinished;
  cell.text = {begin, static_cast<size_t>(quote - begin)};
  at = quote + 1;
  return *at == ',' || *at == '\n' || *at == '\r' ? Outcome::kRow : Outcome::kBroken;
}

Outcome read_plain(const char*& at, const char* end, Cell& cell) {
  const char* const begin = at;
  for (;;) {
    if (end - at >= 16) {
      const uint32_t stops = byte_mask16(at, ',') | byte_mask16(at, '\n') | byte_mask16(at, '\r') |
                             byte_mask16(at, '"');
      if (stops == 0) {
        at += 16;
        continue;
      }
      at += __builtin_ctz(stops);
      break;
    }
    while (at != end && *at != ',' && *at != '\n' && *at != '\r' && *at != '"')
      ++at;
    break;
  }
  if (at == end) return Outcome::kUnfinished;
  cell = {{begin, static_cast<size_t>(at - begin)}, false};
  return *at == '"' ? Outcome::kBroken : Outcome::kRow;
}

/// Reads the cell at `at`, up to what ends it.
inline Outcome read_cell(const char*& at, const char* end, bool plain, Cell& cell) {
  if (at == end) return Outcome::kUnfinished;
  if (*at == ',' || *at == '\n' || *at == '\r') {
    cell = {};
    return Outcome::kRow;
  }
  if (plain == (*at == '"')) return Outcome::kBroken;
  return plain ? read_plain(at, end, cell) : read_quoted(at, end, cell);
}

Outcome read_row(const char* at, const char* end, Row& row) {
  size_t doubled_bytes = 0;
  for (size_t column = 0; column < kMaxColumns; ++column) {
    Cell& cell = row.cells[column];
    const Outcome outcome = read_cell(at, end, (kPlainColumns >> column & 1U) != 0, cell);
    if (outcome != Outcome::kRow) return outcome;
    if (cell.doubled) doubled_bytes += cell.text.size();
    if (*at == ',') {
      ++at;
      continue;
    }
    if (*at == '\r') {
      if (++at == end) return Outcome::kUnfinished;
      if (*at != '\n') return Outcome::kBroken;
    }
    row.columns = column + 1;
    row.doubled_bytes = doubled_bytes;
    row.end = at + 1;
    return row.columns >= kMinColumns && row.columns != 25 ? Outcome::kRow : Outcome::kBroken;
  }
  return Outcome::kBroken;
}

class CsvLog final : public LogParser {
 public:
  explicit CsvLog(const LogParserOptions& options)
      : stamps_(options.timezone), phase_texts_(options.phase_texts) {}

  size_t parse(std::string_view bytes, bool last, RecordHandler& handler) override {
    size_t at = 0;
    while (at < bytes.size()) {
      const char* const end = bytes.data() + bytes.size();
      const Outcome outcome = read_row(bytes.data() + at, end, row_);
      if (outcome == Outcome::kUnfinished && !last) break;
      if (outcome == Outcome::kRow && fill()) {
        searching_ = false;
        record_.offset = base_ + at;
        ++records_;
        unquote();
        handler.on_record(record_);
        at = static_cast<size_t>(row_.end - bytes.data());
        continue;
      }
      const size_t newline = bytes.find('\n', at);
      if (newline == std::string_view::npos && !last) break;
      if (!searching_) drop(outcome == Outcome::kUnfinished ? "truncated" : "bad_csv");
      searching_ = true;
      at = newline == std::string_view::npos ? bytes.size() : newline + 1;
    }
    if (const uint64_t unknown = stamps_.unknown_zones(); unknown != 0)
      drops_.insert_or_assign("unknown_zone", unknown);
    base_ += at;
    return at;
  }

  void skipped(uint64_t bytes) override {
    base_ += bytes;
    if (!searching_) drop("too_long");
    searching_ = true;
  }

  [[nodiscard]] const DropCounts& drops() const override { return drops_; }
  [[nodiscard]] uint64_t records() const override { return records_; }

 private:
  /// The row's short fields to the record; false when they cannot be PostgreSQL's.
  bool fill() {
    const std::string_view time = row_.cells[kTime].text;
    const Stamp stamp = stamps_.read(time);
    int64_t pid = 0;
    if (stamp.length == 0 || stamp.length != time.size()) return false;
    if (!read_integer(row_.cells[kPid].text, pid) || pid < 0 || pid > INT32_MAX) return false;
    record_ = {};
    record_.at = stamp.at;
    record_.coarse_time = stamp.coarse;
    record_.pid = static_cast<int32_t>(pid);
    record_.session = row_.cells[kSession].text;
    record_.virtual_xid = row_.cells[kVirtualXid].text;
    record_.severity = read_severity(row_.cells[kSeverity].text);
    record_.sqlstate = row_.cells[kSqlState].text;
    if (row_.columns > kQueryId)
      record_.has_query_id =
          read_integer(row_.cells[kQueryId].text, record_.query_id) && record_.query_id != 0;
    return true;
  }

  void unquote() {
    Cell& message = row_.cells[kMessage];
    if (!phase_texts_ && message.doubled) {
      const std::string_view head = message.text.substr(0, message.text.find('"'));
      if (is_phase_message(head)) message = {head, false};
    }
    if (row_.doubled_bytes > scratch_.size()) scratch_.resize(row_.doubled_bytes);
    scratch_used_ = 0;
    record_.user = text_of(kUser);
    record_.database = text_of(kDatabase);
    record_.message = text_of(kMessage);
    record_.detail = text_of(kDetail);
    record_.hint = text_of(kHint);
    record_.context = text_of(kContext);
    record_.statement = text_of(kStatement);
    record_.application = text_of(kApplication);
    const std::string_view connection = text_of(kConnection);
    record_.client_host = connection.substr(0, connection.rfind(':'));
  }

  std::string_view text_of(Column column) {
    const Cell& cell = row_.cells[column];
    if (!cell.doubled) return cell.text;
    char* const begin = scratch_.data() + scratch_used_;
    const char* at = cell.text.data();
    const char* const end = at + cell.text.size();
    char* out = begin;
    while (at < end) {
      const char* const quote = find_near(at, end, '"');
      const size_t length = static_cast<size_t>(quote - at) + (quote != end ? 1 : 0);
      std::memcpy(out, at, length);
      out += length;
      at = quote + 2;
    }
    const auto size = static_cast<size_t>(out - begin);
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
  DropCounts drops_;
  uint64_t records_ = 0;
  uint64_t base_ = 0;       // offset of the next parse() in the whole input
  bool searching_ = false;  // for the next whole row, after a broken one
  Row row_;
  LogRecord record_;
  std::vector<char> scratch_;
  size_t scratch_used_ = 0;
};

}  // namespace

std::unique_ptr<LogParser> make_csv_parser(const LogParserOptions& options) {
  return std::make_unique<CsvLog>(options);
}

}  // namespace ectoscope
