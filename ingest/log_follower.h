// Follows a log through its rotations, as tail -F does, and can go on where it stopped.
//
//   renamed             the old file is read to its end first, and once more when it still grows
//   copied and cut      what was not read goes on in the copy; the cut file begins anew
//   a new name          the next file is read when the one before it has nothing more
//   compressed          ignored by its name
//
// A file is what it is by device, inode and first bytes, never by its name.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/log_files.h"
#include "core/time.h"
#include "ingest/followed_file.h"

namespace ectoscope {

struct FollowSettings {
  std::string pattern;   // of one log's files: a path, or one with *, ? and [...]
  bool from_end = true;  // what is there at the first start is not read
  size_t block_bytes = size_t{1} << 20U;
  size_t max_record_bytes = size_t{16} << 20U;
  Micros scan_every{1'000'000};      // the directory
  Micros flush_after{1'000'000};     // a last record that nothing follows is taken as whole
  Micros give_up_after{60'000'000};  // a file that another one replaced is closed
};

/// Takes what the log says.
class FollowConsumer {
 public:
  virtual ~FollowConsumer() = default;

  /// What stood in the log before the first byte that is consumed: to learn its format from.
  virtual void prime(std::string_view bytes) = 0;

  /// Bytes of `file` from file.read_to on.  Returns how many are done with; the rest comes again
  /// with more behind it.  With `last` nothing more is to be expected soon, and all are used.
  virtual size_t consume(const FollowedFile& file, std::string_view bytes, bool last) = 0;

  /// A record outgrew max_record_bytes: `bytes` of it, at file.read_to, are thrown away.
  virtual void skipped(const FollowedFile& file, uint64_t bytes) = 0;
};

/// How following goes, for people.
struct FollowStatus {
  bool tried = false;   // the directory was looked at
  std::string problem;  // empty while all can be read; else why not, and what to do
  std::string path;     // of the newest file
  uint64_t position = 0;
  uint64_t size = 0;
  bool behind = false;  // there is more to read, in whichever file

  bool operator==(const FollowStatus&) const = default;
};

/// Where to go on in a file.
struct ResumePoint {
  FollowedFile file;
  uint64_t from = 0;  // at most file.read_to
};

/// Threads: one at a time.  Errors are in status(), and tried again.
/// Memory: block_bytes for a file that is being read, a record's length at most.
class LogFollower {
 public:
  /// `files` must outlive it.
  LogFollower(LogFiles& files, FollowSettings settings);
  /// Goes on from what an earlier one remembered.
  LogFollower(LogFiles& files, FollowSettings settings, const std::vector<ResumePoint>& points);

  /// Hands over at most one block; false when there is nothing to read.  `now` is a clock that
  /// only goes forward.
  bool step(Micros now, FollowConsumer& consumer);

  [[nodiscard]] FollowStatus status() const;

  /// To go on from.  In the order of reading.
  [[nodiscard]] std::vector<FollowedFile> files() const;

  /// Times that a file was cut or replaced before all of it had been read, and no copy was found.
  [[nodiscard]] uint64_t losses() const { return losses_; }

 private:
  enum class Step : uint8_t { kRead, kNothing };
  enum class Likeness : uint8_t { kOwn, kCopy, kUndecided };
  using Position = std::list<OpenLog>::iterator;

  struct Candidate {
    OpenLog log;
    FileFacts facts;
  };

  void scan(Micros now);
  void take_path(const std::string& path, Micros now, std::vector<Candidate>& fresh);
  void take_known(OpenLog& log, const std::string& path, const FileFacts& facts, Micros now);
  void add(std::vector<Candidate> fresh, bool at_end, Micros now);
  void find_elsewhere(Micros now);
  void go_on_in_copies(Micros now);
  Likeness likeness_of(const OpenLog& candidate, Position& to);
  void reopen(OpenLog& log);
  void forget_vanished(Micros now);
  Position known(const FileIdentity& identity);
  uint16_t next_number();

  Step read(Position log, Micros now, FollowConsumer& consumer);
  Step at_end(Position log, Micros now, FollowConsumer& consumer);
  Step fetch(OpenLog& log, uint64_t available, FollowConsumer& consumer);
  void was_cut(Position log, Micros now, FollowConsumer& consumer);
  Position copy_of(const FollowedFile& cut);
  void go_on(Position log, Position copy);
  bool succeeded(Position log);
  bool replaced(Position log);
  void hand_over(OpenLog& log, bool last, FollowConsumer& consumer);
  void prime(OpenLog& log, FollowConsumer& consumer);

  LogFiles& files_;
  FollowSettings settings_;
  std::list<OpenLog> logs_;  // in the order of reading
  std::string problem_;      // of the last scan
  std::string read_problem_;
  Micros next_scan_{0};
  bool scanned_ = false;
  bool resumed_ = false;
  bool primed_ = false;
  uint64_t losses_ = 0;
  uint16_t last_number_ = 0;
};

}  // namespace ectoscope
