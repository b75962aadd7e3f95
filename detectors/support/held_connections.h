// How long a connection stayed with its reader after the statement had ended.
//
// Ecto's pool hands out the connection that has been free for longest (DBConnection.ConnectionPool
// keeps them ordered by when they came back).  While one is free, no other is handed out twice:
// where others are, over and over, this one is still held, by the process that decodes its rows.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>

#include "core/execution.h"
#include "core/query.h"

namespace ectoscope {

/// Threads: one at a time.  Bounded in statements watched, and in connections and uses of each.
class HeldConnections {
 public:
  struct Held {
    EventTime started_at;  // of the statement that was watched
    int32_t pid = 0;
    QueryId query = kNoQuery;
    EventTime until;  // at least; after the statement's end
    Micros after{0};  // the statement's end
  };

  /// From the end of `execution` on.
  void watch(const Execution& execution);

  /// Every execution, in the log's order.  What it tells of the one that its connection ran before,
  /// if that was watched.
  std::optional<Held> note(const Execution& execution, const Query& query) {
    if (watched_.empty()) return std::nullopt;
    return look(execution, query);
  }

 private:
  /// Another connection of the same application since then.
  struct Other {
    static constexpr size_t kKept = 16;

    uint64_t uses = 0;                      // times that it was handed out
    std::array<EventTime, kKept> starts{};  // of the newest uses, as a ring
    uint64_t transaction = 0;               // of the newest
    bool begun = false;                     // a transaction is open

    void note(const Execution& execution, const Query& query);
    [[nodiscard]] std::optional<EventTime> last_but_one(EventTime before) const;
  };
  struct Watched {
    uint64_t position = 0;
    uint64_t session = 0;
    StreamId stream = 0;
    int32_t pid = 0;
    QueryId query = kNoQuery;
    EventTime started_at;
    EventTime ended_at;
    std::unordered_map<uint64_t, Other> others;  // by session
  };

  static constexpr size_t kMaxWatched = 16;
  static constexpr size_t kMaxOthers = 256;
  static constexpr Micros kLongest{60'000'000};
  /// Of a log that shows but a part of the statements, the next one that it shows need not be the
  /// next: that none of this connection's was shown while each of the others' had so many has a
  /// chance of e^-8.
  static constexpr uint64_t kMinUses = 8;
  /// A connection that the application checked out for several statements is handed out once; that
  /// three do so at once, with so many statements, is rare.
  static constexpr size_t kMinOthers = 3;

  std::optional<Held> look(const Execution& execution, const Query& query);
  [[nodiscard]] static std::optional<Held> judge(const Watched& watched, EventTime next);

  std::deque<Watched> watched_;  // oldest first
};

}  // namespace ectoscope
