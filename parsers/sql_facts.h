// Facts of a statement: from libpg_query's tree, or guessed from its tokens where there is none.
#pragma once

#include <string>

#include "core/query.h"
#include "parsers/sql_aliases.h"
#include "parsers/sql_skeleton.h"

namespace ectoscope {

/// What the tree says.  Fills all of `query` but id, text, canonical and summary.
/// False, with nothing filled, when libpg_query refuses the text.
/// Needs a big stack: call it through SqlParseThread, and only for text that passed the guard.
bool read_facts(const SqlSkeleton& skeleton, Query& query, SqlAliases& aliases);

/// Operation, transaction verb, tables: what the words at their usual places say.
void guess_facts(const SqlSkeleton& skeleton, Query& query);

/// "SELECT posts", "CREATE INDEX posts", "BEGIN": OpenTelemetry's db.query.summary, at most 255
/// bytes.
std::string summarize(const SqlSkeleton& skeleton, const Query& query);

}  // namespace ectoscope
