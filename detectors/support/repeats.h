// The repeats of one shape in a trace, and what led to them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/finding.h"
#include "core/query.h"
#include "core/relations.h"
#include "core/trace.h"

namespace ectoscope {

/// Executions of one shape in one trace, as indexes into Trace::executions, in its order.
struct Repeats {
  QueryId query = kNoQuery;
  std::vector<uint32_t> at;
  uint64_t count = 0;        // exact, also where the trace kept fewer
  Micros duration{0};        // of all
  Micros longest{0};         // of those kept
  size_t distinct_keys = 0;  // among those kept and known
  bool keys_known = true;    // of all that are kept
};

/// One entry for each shape that ran at least `least` times, by query id.
std::vector<Repeats> repeats_of(const Trace& trace, const QueryTable& queries, uint64_t least);

/// Tells of the shapes of `operation` that `trace` ran too seldom for min_repeats = `least`, but
/// half as often as that or more; kOther stands for all writes.
void note_few_repeats(const Trace& trace, const QueryTable& queries, uint64_t least,
                      Operation operation, Report& report);

struct RepeatLimits {
  uint64_t min_repeats = 0;
  double min_grouping_confidence = 0;
};

/// Tells of those that ran often enough, in a trace that grouping is not sure enough of.
void note_unsure_repeats(const Trace& trace, const QueryTable& queries, const RepeatLimits& limits,
                         Operation operation, Report& report);

/// Recounts keys, longest and, where no execution was left out by the trace, count and duration,
/// for the executions named by `repeats.at`.
void measure(const Trace& trace, const QueryTable& queries, Repeats& repeats);

/// The read that led to a loop: the latest one before the second repeat that is no part of the
/// loop, names before place.  A repeat that ran before its parent is no part of the loop and is
/// taken out of `repeats` (the look-up of the current user, say, before a loop over authors).
/// kNoQuery when there is none; `*parent` is its index.
QueryId find_parent(const Trace& trace, const QueryTable& queries, Repeats& repeats,
                    uint32_t* parent);

/// The columns ("tasks.status") that change from one repeat to the next, where the values tell of
/// others than the shape's key alone; else empty.
std::vector<std::string> varying_columns(const Trace& trace, const Query& query,
                                         const Repeats& repeats);

/// Whether `repeats`, or the different keys among them, are fewer than min_repeats = `least`; that
/// is told as a near miss.
bool too_few(const Repeats& repeats, uint64_t least, QueryId parent, Report& report);

/// Whether the application itself said which request its statements belong to.
bool is_tagged(const Trace& trace);

/// How sure a finding of this trace may be at most: the rung, and grouping's own measure.
double grouping_confidence(const Trace& trace);

/// Begins an observation with times, pids, counts and cost; `parent` is an index or UINT32_MAX.
Observation observe(const Trace& trace, const Repeats& repeats, uint32_t parent);

/// How often the child of a loop ran in a request, in the mean.
uint64_t repeats_each(const Finding& finding);

/// A transaction of the Ecto SQL sandbox: savepoints around statements, never committed.
bool is_sandbox(const Trace& trace, const QueryTable& queries);

bool is_write(Operation operation);

/// Takes the fixtures of a test in the sandbox out of `repeats`, which are inserts: what remains is
/// the longest run of the shape with nothing but savepoints between, unless the test's first write
/// is in it.  Call measure() afterwards.
void drop_fixtures(const Trace& trace, const QueryTable& queries, Repeats& repeats);

}  // namespace ectoscope
