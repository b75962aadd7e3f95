// What reports for people say of a finding, in one wording.  Nothing here is escaped yet.
#pragma once

#include <string>
#include <string_view>

#include "core/finding.h"

namespace ectoscope {

/// "UserController.index (12 traces), /users/:id (3 traces); lib/shop.ex:12; application shop;
/// database shop_dev"
std::string where_of(const Finding& finding);

/// "1,200 statements, 1,188 more than needed; 310 ms in the database, about 290 ms to save"
std::string cost_of(const Finding& finding);

/// "97 %, requests told apart by traceparent"
std::string certainty_of(const Finding& finding);

/// "101 statements in 33.1 ms, 2026-11-22 08:29:33.354 UTC, trace 4bf9…"; empty without examples.
std::string worst_of(const Finding& finding);

/// Of the index that the fix adds; empty where it adds none.
std::string_view table_of_fix(const Finding& finding);

/// 2026-11-22 08:29:33.354 UTC
std::string readable_stamp(EventTime at);

}  // namespace ectoscope
