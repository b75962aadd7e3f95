// What a report says of that which was found and is not held against anyone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/finding.h"
#include "core/ignore_rule.h"

namespace ectoscope {

struct IgnoredFinding {
  Finding finding;
  IgnoreRule rule;  // the first that covers it
};

/// A shape whose statements carry an ectoscope:ignore comment.
struct IgnoredShape {
  QueryFacts query;
  std::string database;
  uint64_t executions = 0;
  Micros duration{0};
};

struct Ignoring {
  std::vector<std::string> files;        // that rules were read from
  std::vector<IgnoredFinding> findings;  // costliest first
  std::vector<IgnoreRule> expired;       // they hide nothing any more
  std::vector<IgnoreRule> unused;        // they hold, but nothing fits
  uint64_t statements = 0;               // with an ectoscope:ignore comment: judged by nobody
  std::vector<IgnoredShape> shapes;      // of these, most executions first
  uint64_t statements_left_out = 0;      // of shapes past the bound
};

/// A finding of the baseline that is there no more.
struct BaselineEntry {
  std::string id;
  std::string summary;  // as the file has it
};

/// What --fail-on, --baseline and the like decided.
struct Gate {
  Severity fail_on = Severity::kWarning;
  bool passed = true;
  std::vector<std::string> failing;  // ids, in the report's order
  std::vector<std::string> known;    // ids that the baseline has, sorted
  std::vector<BaselineEntry> gone;   // by id
  std::string blind;  // why this input can't pass: what it does not show; empty: it shows enough
};

/// Something that was looked at and let go, for --why.
struct Miss {
  std::string id;  // what the finding's would be
  std::string kind;
  std::string database;
  QueryFacts query;
  std::string option;  // "detectors.n_plus_one_read.min_repeats"; empty: no setting decided
  double value = 0;    // the nearest that was seen, in the option's unit
  double wanted = 0;
  std::string seen;  // both as the configuration would write them: "4", "80ms"
  std::string threshold;
  std::string why;
  uint64_t times = 0;
};

/// The answer to --why=ID|KIND.
struct Explanation {
  std::string asked;
  std::string answer;        // a sentence or two
  std::vector<Miss> misses;  // nearest first
  uint64_t misses_left_out = 0;
};

}  // namespace ectoscope
