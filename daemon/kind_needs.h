// What each kind of finding is made of, and so which of them a server's settings hide.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "daemon/doctor_checks.h"

namespace ectoscope {

enum class Need {
  kLog,         // a log that can be read
  kStatements,  // each statement in it, the fast ones too
  kSlow,        // the slow ones
  kParameters,  // their values
  kPlans,
  kActualRows,  // in the plans
  kTriggers,    // in the plans
  kLocks,
  kErrors,
  kConnections,
  kTemporary,  // files
  kCounters,   // pg_stat_statements
};

/// What is not there, and why: a clause for people.
using HiddenNeeds = std::map<Need, std::string>;

/// All kinds, by name.
std::vector<KindVisibility> judge_kinds(const HiddenNeeds& hidden);

}  // namespace ectoscope
