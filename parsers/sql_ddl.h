// What a DDL statement does to those who use the table meanwhile.
#pragma once

#include <cstdint>

#include <pg_query.pb-c.h>

namespace ectoscope {

/// Bits of Ddl; 0 for what changes no schema, or does it without getting in anyone's way.
uint16_t read_ddl(const PgQuery__Node& statement);

}  // namespace ectoscope
