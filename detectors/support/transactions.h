// Which statements of a trace ran between a BEGIN and its end.
#pragma once

#include <vector>

#include "core/query.h"
#include "core/trace.h"

namespace ectoscope {

/// One entry for each of trace.executions: whether it stood in an explicit transaction; BEGIN and
/// COMMIT do themselves.  Where the log does not name the session, everything may have.
std::vector<bool> in_transaction(const Trace& trace, const QueryTable& queries);

/// INSERT, UPDATE or DELETE of a table of the application.
bool writes(const Query& query);

}  // namespace ectoscope
