// What a server's detectors let go lately, for the page that says why not.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "core/control.h"
#include "core/query.h"
#include "findings/near_miss_book.h"

namespace ectoscope {

/// Threads: one at a time.
class NearMisses {
 public:
  NearMisses(std::string server, EventTime now) : server_(std::move(server)), since_(now) {}

  /// Valid as long as this is.
  NearMissBook& book() { return book_; }

  /// Described anew every 10 s, for it costs a hash each.  A full book is begun anew then, so that
  /// it tells of these days.
  std::shared_ptr<const NearlyFound> shown(const QueryTable& queries, Micros steady,
                                           EventTime wall);

 private:
  static constexpr size_t kMost = 2000;

  std::string server_;
  NearMissBook book_{kMost};
  EventTime since_;
  std::shared_ptr<const NearlyFound> shown_;
  Micros shown_at_{0};
};

}  // namespace ectoscope
