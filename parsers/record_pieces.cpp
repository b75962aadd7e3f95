#include "parsers/record_pieces.h"

#include <algorithm>
#include <utility>

namespace ectoscope {
namespace {

/// Entries of others after which no part is waited for any more.
constexpr uint64_t kWindow = 256;
/// PostgreSQL cuts after 900 bytes, before a character that begins there.
constexpr size_t kFullChunk = 897;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

size_t read_number(std::string_view text, size_t at, uint64_t& number) {
  constexpr size_t kMost = 19;
  size_t end = at;
  for (number = 0; end < text.size() && end < at + kMost && is_digit(text[end]); ++end)
    number = number * 10 + static_cast<uint64_t>(text[end] - '0');
  return end - at;
}

/// A line never begins so unless it goes on with the one before it.
bool begins_with_blank(std::string_view text) {
  return !text.empty() && static_cast<unsigned char>(text[0]) <= ' ';
}

void append(Piece& piece, std::string_view part, uint64_t offset, uint64_t entry) {
  const bool same_line = piece.goes_on || (begins_with_blank(part) && part[0] != '\t') ||
                         (piece.last_part >= kFullChunk && !part.starts_with('\t'));
  if (!same_line) piece.text += '\n';
  piece.text += part;
  piece.others.push_back(offset);
  piece.last_part = part.size();
  piece.last_entry = entry;
}

}  // namespace

ChunkMark read_chunk_mark(std::string_view text) {
  ChunkMark mark;
  if (!text.starts_with('[')) return mark;
  size_t at = 1;
  const size_t digits = read_number(text, at, mark.number);
  at += digits;
  if (digits == 0 || mark.number == 0) return {};
  if (text.substr(at).starts_with('-')) {
    uint64_t chunk = 0;
    const size_t chunk_digits = read_number(text, at + 1, chunk);
    if (chunk_digits == 0 || chunk == 0 || chunk > UINT32_MAX) return {};
    mark.chunk = static_cast<uint32_t>(chunk);
    at += 1 + chunk_digits;
  }
  if (!text.substr(at).starts_with("] ")) return {};
  mark.length = at + 2;
  return mark;
}

Piece* RecordPieces::open_of(int32_t pid) {
  const auto found = std::find_if(pieces_.rbegin(), pieces_.rend(), [pid](const Piece& piece) {
    return piece.open && piece.pid == pid;
  });
  return found == pieces_.rend() ? nullptr : &*found;
}

Piece& RecordPieces::begin(const Wrapped& wrapped, const ChunkMark& mark, uint64_t offset) {
  if (Piece* const before = open_of(wrapped.pid)) before->open = false;
  Piece& piece = pieces_.emplace_back();
  piece.text = wrapped.text;
  piece.offset = offset;
  piece.has_time = wrapped.has_time;
  piece.coarse = wrapped.coarse;
  piece.at = wrapped.at;
  piece.pid = wrapped.pid;
  piece.number = mark.number;
  piece.chunk = mark.chunk;
  piece.last_part = wrapped.text.size();
  piece.last_entry = entries_;
  piece.goes_on = wrapped.goes_on;
  piece.open = mark.length == 0 || mark.chunk != 0;
  return piece;
}

bool RecordPieces::add_chunk(const Wrapped& wrapped, const ChunkMark& mark, uint64_t offset) {
  Piece* const piece = open_of(wrapped.pid);
  if (piece == nullptr || piece->number != mark.number) {
    begin(wrapped, mark, offset).broken = true;
    return true;
  }
  const bool missing = !piece->broken && piece->chunk + 1 != mark.chunk;
  piece->broken = piece->broken || missing;
  piece->chunk = mark.chunk;
  append(*piece, wrapped.text, offset, entries_);
  return missing;
}

bool RecordPieces::add(const Wrapped& wrapped, const ChunkMark& mark, uint64_t offset) {
  ++entries_;
  for (Piece& piece : pieces_) {
    if (entries_ - piece.last_entry <= kWindow) break;
    piece.open = false;
  }
  if (mark.chunk > 1) return add_chunk(wrapped, mark, offset);
  Piece* const before = mark.length == 0 ? open_of(wrapped.pid) : nullptr;
  const bool goes_on = before != nullptr && before->number == 0 &&
                       (before->goes_on || begins_with_blank(wrapped.text));
  if (goes_on) {
    append(*before, wrapped.text, offset, entries_);
    before->goes_on = wrapped.goes_on;
  } else {
    begin(wrapped, mark, offset);
  }
  return false;
}

const Piece* RecordPieces::take(bool all) {
  if (pieces_.empty() || (pieces_.front().open && !all)) return nullptr;
  taken_ = std::move(pieces_.front());
  pieces_.pop_front();
  return &taken_;
}

uint64_t RecordPieces::oldest(uint64_t otherwise) const {
  return pieces_.empty() ? otherwise : pieces_.front().offset;
}

void RecordPieces::clear() {
  pieces_.clear();
  entries_ = 0;
}

}  // namespace ectoscope
