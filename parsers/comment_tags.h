// What the comments of a statement tell about the request that sent it.
//
// Read are sqlcommenter (`k='v',k2='v2'`, percent-encoded), marginalia (`k:v`) and what lies
// between: unquoted values, spaces, double quotes.  Everything else in a comment is left alone.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/execution.h"
#include "core/hash.h"
#include "core/routes.h"

namespace ectoscope {

struct CommentTags {
  TraceId trace_id;
  uint64_t request_tag = 0;  // keyed hash; 0: none
  uint32_t route = 0;        // in the Routes; 0: none
  bool commented = false;    // there was a comment, with tags or without
  bool ignored = false;      // ectoscope:ignore
  bool bad_traceparent = false;
};

/// Adds what `from` says; what `into` says already stays.
void merge_tags(CommentTags& into, const CommentTags& from);

/// Reads W3C trace context (level 1): `00-<32 hex>-<16 hex>-<2 hex>`, lower case, ids not zero;
/// of versions after 00 the first four fields, never version ff.  The unknown id when it is none.
TraceId parse_traceparent(std::string_view text);

/// Threads: one at a time.  `routes` must outlive it.
class CommentTagReader {
 public:
  CommentTagReader(Routes& routes, const HashKey& key) : routes_(routes), key_(key) {}

  /// Adds what `comment` (without its marks) says to `tags`; what stood in an earlier comment
  /// stays. Never fails: of hostile text at most the first 16 KiB and 64 keys are looked at, and a
  /// route is at most 120 harmless ASCII characters, a place 160.
  void read(std::string_view comment, CommentTags& tags);

 private:
  enum Key : uint8_t {
    kTraceparent,
    kRequestId,
    kController,
    kAction,
    kRoute,
    kJob,
    kWorker,
    kLiveView,
    kEndpoint,
    kOperation,
    kLabel,
    kFile,
    kLine,
    kCodePath,
    kCodeLine,
    kSourceLocation,
    kKeys
  };
  using Values = std::array<std::string_view, kKeys>;  // as written

  // One request's statements differ in nothing but the trace id's place: the rest of the comment is
  // read once.
  struct Remembered {
    bool filled = false;
    bool ignored = false;
    uint32_t route = 0;
    std::string before;
    std::string after;
  };
  static constexpr size_t kRemembered = 256;

  Values read_fully(std::string_view comment, CommentTags& tags);
  static void take_traceparent(std::string_view text, CommentTags& tags);
  static Values split(std::string_view comment);
  static std::string_view name_of(size_t key);
  static size_t key_number(std::string_view key);
  uint32_t route_of(const Values& values);
  std::string_view read_route(const Values& values);
  std::string place_of(const Values& values);

  Routes& routes_;
  HashKey key_;
  std::string scratch_;
  std::array<Remembered, kRemembered> remembered_;
};

}  // namespace ectoscope
