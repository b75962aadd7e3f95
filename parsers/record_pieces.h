// Puts together again what was cut into pieces on its way: a long record that PostgreSQL hands to
// syslog in chunks, between which other backends' chunks stand.
//
//   postgres[70]: [5-1] ... LOG:  duration: 0.1 ms  execute <unnamed>: SELECT u0."id",
//   postgres[71]: [9] ... LOG:  ...
//   postgres[70]: [5-2] #011       u0."name" FROM "users" AS u0
//
// PostgreSQL cuts at each line break (which is lost; its further lines begin with a TAB, but for
// DETAIL and the like), and after 900 bytes: before the last blank, or anywhere when there is none.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "parsers/envelope.h"

namespace ectoscope {

/// The text of a record, or of a line that came by itself.
struct Piece {
  std::string text;              // lines, without the last line break
  uint64_t offset = 0;           // of its first entry in the input
  std::vector<uint64_t> others;  // offsets of its further entries
  bool has_time = false;
  bool coarse = false;
  EventTime at;
  int32_t pid = 0;
  bool broken = false;  // a part of it is missing

  // While parts may follow.
  uint64_t number = 0;   // as in [number-chunk]; 0: it has none
  uint32_t chunk = 0;    // the last one; 0: it came in one
  size_t last_part = 0;  // bytes of the last part
  bool goes_on = false;
  bool open = true;
  uint64_t last_entry = 0;
};

/// [5] or [5-2] at the front of a text.
struct ChunkMark {
  uint64_t number = 0;
  uint32_t chunk = 0;  // 0: the record is whole
  size_t length = 0;   // with the blank behind it; 0: there is none
};

ChunkMark read_chunk_mark(std::string_view text);

/// Threads: one at a time.  Memory: the text of what is not taken yet.
class RecordPieces {
 public:
  /// The next entry in the input's order; its text without the mark.  True when a record turned
  /// out to lack a part.
  bool add(const Wrapped& wrapped, const ChunkMark& mark, uint64_t offset);

  /// The oldest piece once nothing can be added to it; null when there is none.  With `all` it
  /// counts as whole, too, what might go on.  Valid until the next call.
  const Piece* take(bool all);

  /// The offset of the oldest piece that was not taken; `otherwise` when there is none.
  [[nodiscard]] uint64_t oldest(uint64_t otherwise) const;

  void clear();

 private:
  Piece& begin(const Wrapped& wrapped, const ChunkMark& mark, uint64_t offset);
  Piece* open_of(int32_t pid);
  bool add_chunk(const Wrapped& wrapped, const ChunkMark& mark, uint64_t offset);

  std::deque<Piece> pieces_;
  Piece taken_;
  uint64_t entries_ = 0;
};

}  // namespace ectoscope
