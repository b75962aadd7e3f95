// What others put around PostgreSQL's log lines on their way: syslog, the journal, a cloud's
// export.
//
// An envelope only takes lines out of what is around them; whose lines belong together is
// EnvelopeLog's to know, and what they say the stderr parser's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "core/time.h"
#include "parsers/log_format.h"

namespace ectoscope {

/// One entry, opened.  Views point into the entry, or into the envelope's scratch: valid until the
/// next call.
struct Wrapped {
  /// Whatever PostgreSQL handed over in one piece: a line, several, or a part of a long record.
  /// Line breaks that did not come from it have a TAB behind them.
  std::string_view text;
  bool has_time = false;
  bool coarse = false;  // whole seconds
  EventTime at;
  int32_t pid = 0;           // of the sender; 0: not known
  bool goes_on = false;      // cut for its length: the sender's next entry is the rest of this line
  bool by_postgres = false;  // the envelope names PostgreSQL as the sender
};

/// Where an entry ends.
struct Frame {
  size_t length = 0;  // with what ends it; 0: the entry is not whole
  bool torn = false;  // it broke off, and another one follows
};

enum class Opened : uint8_t {
  kText,
  kNothing,  // an empty line, or punctuation between entries
  kOther,    // another program's
  kBroken
};

/// Threads: one at a time.
class Envelope {
 public:
  virtual ~Envelope() = default;

  /// Of the entry that `bytes` (never empty) begin with.
  [[nodiscard]] virtual Frame frame(std::string_view bytes) const = 0;

  virtual Opened open(std::string_view entry, Wrapped& out) = 0;

  /// The word in LogParser::drops() for an entry that can't be opened.
  [[nodiscard]] virtual std::string_view broken_reason() const = 0;
};

/// Lines of syslog files (traditional, with RFC 3339 stamps, RFC 5424) and of `journalctl -o
/// short`, short-precise and short-iso; also lines that only have a stamp in front, as
/// `kubectl logs --timestamps` prints them, or a container runtime's mark, as in /var/log/pods.
std::unique_ptr<Envelope> make_syslog_envelope(const LogParserOptions& options);

/// Entries of Google Cloud Logging: one object a line, or laid out over several.
std::unique_ptr<Envelope> make_cloudsql_envelope();

/// `journalctl -o export`, `-o json` and the short forms, told apart entry by entry.
std::unique_ptr<Envelope> make_journal_envelope(const LogParserOptions& options);

// What the first line of a log shows of its envelope.

bool looks_like_syslog(std::string_view line);
bool looks_like_cloudsql(std::string_view line);
bool looks_like_journal(std::string_view line);
bool looks_like_cnpg(std::string_view line);

}  // namespace ectoscope
