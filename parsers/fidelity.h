// What the log's settings let us see, judged from what came.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "core/report.h"

namespace ectoscope {

/// Counted while executions are built.
struct FidelityCounts {
  uint64_t executions = 0;        // all that were built, fetches too
  uint64_t extended = 0;          // of them: `execute` with its own duration
  uint64_t without_bind = 0;      // of `extended`: the bind was not logged
  uint64_t untimed = 0;           // log_statement's form whose duration never came
  uint64_t by_log_statement = 0;  // log_statement's form
  uint64_t plan_only = 0;         // known through their plan alone
  uint64_t durations = 0;         // logged for parse, bind, execute and statement, each by itself
  uint64_t short_durations = 0;   // of them: under 1 ms
  uint64_t bare_durations = 0;    // log_duration's, with no statement to them
  Micros shortest{0};             // of `durations`
  uint64_t with_parameters = 0;   // executions of statements that take some, values logged
  uint64_t lacking_parameters = 0;
  uint64_t plans = 0;
  uint64_t taggable = 0;  // executions that an application's comment could stand in
  uint64_t tagged = 0;    // of them: with a trace id
  uint64_t stale = 0;     // of `tagged`: a named statement that was prepared earlier
  uint64_t with_query_id = 0;
  uint64_t coarse = 0;            // executions whose stamps are whole seconds
  uint64_t with_transaction = 0;  // executions whose virtual transaction id was logged
  uint64_t with_application = 0;
  uint64_t unread_durations = 0;  // in the words of a language that is not known
};

/// A log_line_prefix with all that is read of it.
inline constexpr char kBestLogLinePrefix[] =
    "%m [%p] %q%u@%d app=%a client=%r vx=%v sess=%c line=%l q=%Q ";

/// What to say of a log whose language is not known.
std::string unreadable_advice();

/// Says so where the parser met more lines in unknown words ("unknown_language" in `drops`) than
/// records.
void note_unread(const std::map<std::string, uint64_t, std::less<>>& drops, uint64_t records,
                 InputFidelity& fidelity);

/// Thresholds have their reason beside them in fidelity.cpp.
InputFidelity judge_fidelity(const FidelityCounts& counts);

}  // namespace ectoscope
