#include "parsers/envelope_log.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "parsers/line_words.h"
#include "parsers/record_pieces.h"
#include "parsers/stamps.h"
#include "parsers/stderr_log.h"

namespace ectoscope {
namespace {

constexpr size_t kDrainBytes = size_t{256} * 1024;
constexpr size_t kMaxHead = 600;  // bytes in which a line's severity is looked for

/// Whether log_line_prefix prints stamps of its own, learned from the lines.  One line proves
/// nothing: it may hold a name that looks like a stamp.
class OwnStamps {
 public:
  /// `given`: the prefix is configured, and has one.
  explicit OwnStamps(bool given) : given_(given) {}

  bool judge(std::string_view line) {
    if (given_) return true;
    const size_t severity = find_severity(line.substr(0, kMaxHead), 0);
    if (severity == std::string_view::npos) return own_.value_or(false);
    const bool here = has_stamp(line, severity);
    contrary_ = here == own_.value_or(here) ? 0 : contrary_ + 1;
    if (!own_ || contrary_ >= kConvincing) {
      own_ = here;
      contrary_ = 0;
    }
    return *own_;
  }

 private:
  static constexpr int kConvincing = 20;

  bool has_stamp(std::string_view line, size_t until) {
    for (size_t at = 0; at < until; ++at) {
      const bool digit = line[at] >= '0' && line[at] <= '9';
      const bool first = at == 0 || line[at - 1] < '0' || line[at - 1] > '9';
      if (!digit || !first) continue;
      if (stamps_.read(line.substr(at)).length != 0) return true;
      const Stamp epoch = StampReader::read_epoch(line.substr(at));
      if (epoch.length != 0 && !epoch.coarse) return true;
    }
    return false;
  }

  bool given_;
  std::optional<bool> own_;
  int contrary_ = 0;
  StampReader stamps_{"UTC"};
};

/// A piece that was given to the stderr parser, which may not have used it yet.
struct Fed {
  uint64_t inner = 0;  // its place in what the stderr parser is given
  uint64_t outer = 0;  // and in the input
  std::vector<uint64_t> others;
};

class EnvelopeLog final : public LogParser, private RecordHandler {
 public:
  EnvelopeLog(std::unique_ptr<Envelope> envelope, const LogParserOptions& options)
      : envelope_(std::move(envelope)),
        lines_(make_stderr_parser(options)),
        own_stamps_(!options.log_line_prefix.empty()) {}

  size_t parse(std::string_view bytes, bool last, RecordHandler& handler) override;
  void skipped(uint64_t bytes) override;
  [[nodiscard]] const DropCounts& drops() const override { return all_drops_; }
  [[nodiscard]] uint64_t records() const override { return lines_->records(); }

 private:
  void on_record(const LogRecord& record) override;
  void on_late_part(const LogRecord& part) override;

  void take(std::string_view entry, uint64_t offset);
  void feed(const Piece& piece);
  void add_line(const Piece& piece, std::string_view line, bool own_stamp);
  void drain(bool last);
  void forget_before(uint64_t offset);
  void drop(std::string_view reason);
  void count_drops();
  [[nodiscard]] uint64_t outer_offset(uint64_t inner) const;

  std::unique_ptr<Envelope> envelope_;
  std::unique_ptr<LogParser> lines_;
  OwnStamps own_stamps_;
  DropCounts drops_;      // our own
  DropCounts all_drops_;  // with those of the stderr parser
  uint64_t base_ = 0;     // offset of the next parse() in the whole input
  bool inside_skipped_ = false;
  std::vector<uint64_t> used_;  // offsets of entries behind base_ that are done with, sorted

  // Of the call of parse() that is under way.
  RecordHandler* handler_ = nullptr;
  RecordPieces pieces_;
  std::string inner_;        // what the stderr parser was not given yet, or has not used
  uint64_t inner_base_ = 0;  // its place in all that the parser has used
  std::deque<Fed> fed_;      // what inner_ holds
  std::vector<uint64_t> done_;
};

size_t EnvelopeLog::parse(std::string_view bytes, bool last, RecordHandler& handler) {
  handler_ = &handler;
  size_t at = 0;
  while (at < bytes.size()) {
    const std::string_view rest = bytes.substr(at);
    const Frame frame = envelope_->frame(rest);
    if (frame.length == 0) break;
    const uint64_t offset = base_ + at;
    at += frame.length;
    if (std::binary_search(used_.begin(), used_.end(), offset) ||
        std::exchange(inside_skipped_, false)) {
      done_.push_back(offset);
    } else if (frame.torn) {
      drop(envelope_->broken_reason());
      done_.push_back(offset);
    } else {
      take(rest.substr(0, frame.length), offset);
    }
    while (const Piece* const piece = pieces_.take(false))
      feed(*piece);
    if (inner_.size() > kDrainBytes) drain(false);
  }
  if (last) {
    if (at < bytes.size() && !std::exchange(inside_skipped_, false)) drop("truncated");
    at = bytes.size();
    while (const Piece* const piece = pieces_.take(true))
      feed(*piece);
  }
  drain(last);
  uint64_t until = pieces_.oldest(base_ + at);
  if (!fed_.empty()) until = std::min(until, fed_.front().outer);
  forget_before(until);
  count_drops();
  const auto used = static_cast<size_t>(until - base_);
  base_ = until;
  return used;
}

/// What is not used comes again: only that some of it is done with has to be remembered.
void EnvelopeLog::forget_before(uint64_t offset) {
  std::erase_if(done_, [offset](uint64_t done) { return done < offset; });
  std::sort(done_.begin(), done_.end());
  used_ = std::move(done_);
  done_.clear();
  pieces_.clear();
  inner_.clear();
  fed_.clear();
}

void EnvelopeLog::skipped(uint64_t bytes) {
  base_ += bytes;
  used_.clear();
  if (!inside_skipped_) drop("too_long");
  inside_skipped_ = true;
  count_drops();
}

void EnvelopeLog::take(std::string_view entry, uint64_t offset) {
  Wrapped wrapped;
  switch (envelope_->open(entry, wrapped)) {
    case Opened::kText:
      break;
    case Opened::kNothing:
      return done_.push_back(offset);
    case Opened::kOther:
      drop("other_program");
      return done_.push_back(offset);
    case Opened::kBroken:
      drop(envelope_->broken_reason());
      return done_.push_back(offset);
  }
  const ChunkMark mark = read_chunk_mark(wrapped.text);
  if (!wrapped.by_postgres && mark.length == 0) {
    drop("other_program");
    return done_.push_back(offset);
  }
  wrapped.text.remove_prefix(mark.length);
  if (pieces_.add(wrapped, mark, offset)) drop("chunk_missing");
}

void EnvelopeLog::feed(const Piece& piece) {
  if (piece.broken) {
    done_.push_back(piece.offset);
    done_.insert(done_.end(), piece.others.begin(), piece.others.end());
    return;
  }
  fed_.push_back({inner_base_ + inner_.size(), piece.offset, piece.others});
  std::string_view text = piece.text;
  const bool own = own_stamps_.judge(text.substr(0, text.find('\n')));
  while (!text.empty()) {
    const size_t newline = text.find('\n');
    add_line(piece, text.substr(0, newline), own);
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
  }
}

void EnvelopeLog::add_line(const Piece& piece, std::string_view line, bool own_stamp) {
  if (!own_stamp && piece.has_time && !line.starts_with('\t')) {
    namespace chrono = std::chrono;
    const auto day = chrono::floor<chrono::days>(piece.at);
    const chrono::year_month_day date(day);
    const chrono::hh_mm_ss time(chrono::floor<Micros>(piece.at - day));
    char head[80];
    int length = std::snprintf(
        head, sizeof head, "%04d-%02u-%02u %02d:%02d:%02d", static_cast<int>(date.year()),
        static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
        static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
        static_cast<int>(time.seconds().count()));
    inner_.append(head, static_cast<size_t>(length));
    if (!piece.coarse) {
      length =
          std::snprintf(head, sizeof head, ".%06d", static_cast<int>(time.subseconds().count()));
      inner_.append(head, static_cast<size_t>(length));
    }
    inner_ += " UTC ";
    if (piece.pid != 0) inner_ += '[' + std::to_string(piece.pid) + "] ";
  }
  inner_ += line;
  inner_ += '\n';
}

void EnvelopeLog::drain(bool last) {
  if (inner_.empty()) return;
  const size_t used = lines_->parse(inner_, last, *this);
  inner_.erase(0, used);
  inner_base_ += used;
  while (!fed_.empty()) {
    const uint64_t end = fed_.size() > 1 ? fed_[1].inner : inner_base_ + inner_.size();
    if (end > inner_base_) break;
    done_.push_back(fed_.front().outer);
    done_.insert(done_.end(), fed_.front().others.begin(), fed_.front().others.end());
    fed_.pop_front();
  }
}

void EnvelopeLog::on_record(const LogRecord& record) {
  LogRecord moved = record;
  moved.offset = outer_offset(record.offset);
  handler_->on_record(moved);
}

void EnvelopeLog::on_late_part(const LogRecord& part) {
  LogRecord moved = part;
  moved.offset = outer_offset(part.offset);
  handler_->on_late_part(moved);
}

uint64_t EnvelopeLog::outer_offset(uint64_t inner) const {
  const auto after =
      std::upper_bound(fed_.begin(), fed_.end(), inner,
                       [](uint64_t offset, const Fed& fed) { return offset < fed.inner; });
  return after == fed_.begin() ? base_ : std::prev(after)->outer;
}

void EnvelopeLog::drop(std::string_view reason) {
  const auto found = drops_.find(reason);
  if (found != drops_.end())
    ++found->second;
  else
    drops_.emplace(reason, 1);
}

void EnvelopeLog::count_drops() {
  all_drops_ = lines_->drops();
  for (const auto& [reason, count] : drops_)
    all_drops_[reason] += count;
}

}  // namespace

std::unique_ptr<LogParser> make_envelope_parser(std::unique_ptr<Envelope> envelope,
                                                const LogParserOptions& options) {
  return std::make_unique<EnvelopeLog>(std::move(envelope), options);
}

}  // namespace ectoscope
