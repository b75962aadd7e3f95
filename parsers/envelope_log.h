// Logs whose lines came in an envelope.
#pragma once

#include <memory>

#include "parsers/envelope.h"
#include "parsers/log_format.h"

namespace ectoscope {

/// Opens the envelopes, puts records together and gives them to a stderr parser.  Where
/// log_line_prefix has no stamp, the envelope's stamp and pid stand in for it.
///
/// Counted in drops(), beside what the stderr parser counts: "other_program" (another's entry),
/// "chunk_missing" (a record of which syslog lost a part), and what the envelope calls broken.
///
/// A record that is not whole yet is not used: parse() returns what stands before it, and passes
/// over what it has used behind it when that is brought again.
std::unique_ptr<LogParser> make_envelope_parser(std::unique_ptr<Envelope> envelope,
                                                const LogParserOptions& options);

}  // namespace ectoscope
