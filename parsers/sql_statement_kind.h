// What sort of statement a tree is.
#pragma once

#include <pg_query.pb-c.h>

#include "core/query.h"

namespace ectoscope {

/// CREATE, ALTER, DROP, TRUNCATE, GRANT and the like.
bool defines_something(const PgQuery__Node& statement);

/// kNone for PREPARE TRANSACTION and what follows it.
TransactionVerb transaction_verb(const PgQuery__TransactionStmt& statement);

/// SET, SHOW, LISTEN ..., or a SELECT without tables that calls but a pool's or a lock's functions.
bool serves_the_session(const PgQuery__Node& statement, const Query& query);

/// Oban's own upkeep: it fetches, completes and prunes jobs of its own accord.  An INSERT of jobs
/// is the application's.
bool serves_the_jobs(const Query& query);

}  // namespace ectoscope
