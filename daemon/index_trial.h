// Asks a server's planner whether an advised index would help, by HypoPG: nothing is built.
//
// What is sent: the statement's shape, of which libpg_query says that it is one SELECT, INSERT,
// UPDATE or DELETE, by PREPARE; and EXPLAIN, never ANALYZE.  No value of the log is in it; where
// one is wanted (a limit; a key that few rows have) it is a round number or the server's own
// statistics have it.
#pragma once

#include <string>
#include <variant>

#include "core/database.h"
#include "core/finding.h"
#include "core/query.h"
#include "parsers/single_statement.h"

namespace ectoscope {

/// The pointee must live as long; a QueryTable's entries do.
struct IndexTrial {
  const Query* query = nullptr;
  IndexAdvice index;
  std::string create_sql;
  bool of_trigger = false;  // it is a foreign key's trigger that the index is for
};

struct TrialOutcome {
  enum class Kind {
    kVerified,   // the planner takes it, at half the cost or less
    kNotBetter,  // it does not
    kNotTried,   // `why` tells what stood in the way
  };

  Kind kind = Kind::kNotTried;
  Verification verification;
  std::string why;
};

/// An error is one of the connection: to be tried again.  Leaves nothing behind in the session.
std::variant<TrialOutcome, DatabaseError> try_index(Database& database, const IndexTrial& trial,
                                                    SingleStatement& parser);

/// The statement as it is explained: LIMIT and OFFSET made plain numbers, and the column that the
/// index leads with compared to `rare` (quoted already; empty: left a parameter).  Parameters that
/// are left are numbered anew.
std::string trial_text(const Query& query, const IndexAdvice& index, const std::string& rare);

/// What a foreign key's trigger asks, and a DELETE or UPDATE looks for.
std::string probe_text(const IndexAdvice& index, const std::string& rare);

}  // namespace ectoscope
