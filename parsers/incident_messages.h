// Which messages of the log tell of an incident: one table.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/incident.h"

namespace ectoscope {

/// What a message says.  The views point into it; each is a name or a lock mode, never a value.
struct IncidentMessage {
  IncidentKind kind = IncidentKind::kOtherViolation;
  std::string_view table;
  std::string_view constraint;
  std::string_view columns;
  std::string_view lock_mode;
  std::string_view user;
  std::string_view database;
  std::string_view application;
  Micros waited{0};
  uint64_t bytes = 0;
};

/// Of an ERROR or FATAL: by its SQLSTATE where the log has it, whatever the language, else by its
/// words in English or German.  Names are taken only from words that PostgreSQL itself writes: a
/// function may raise any text under any SQLSTATE.
std::optional<IncidentMessage> read_error(std::string_view sqlstate, std::string_view message);

/// Of a LOG message: by its words in English or German.
std::optional<IncidentMessage> read_notice(std::string_view message);

/// Whether it looks like `duration: 1.234 ms` in words that nobody here knows.
bool looks_like_duration(std::string_view message);

/// "email" of `Key (email)=(...) already exists.`, "a, b" of several; empty when they are no plain
/// names.
std::string_view key_columns(std::string_view detail);

/// "products" of `while updating tuple (9,51) in relation "products"`.
std::string_view locked_relation(std::string_view context);

/// Takes the next number off the front of `text`, as far as `end`; nullopt when there is none.
std::optional<int32_t> take_pid(std::string_view& text, char end);

/// "Process 9341: UPDATE ..." of a deadlock's DETAIL, in any language.
struct ProcessStatement {
  int32_t pid = 0;
  std::string_view sql;
};

/// Takes the next such line, with the lines that continue it, off `detail`.
std::optional<ProcessStatement> take_process_statement(std::string_view& detail);

}  // namespace ectoscope
