#include "parsers/incident_messages.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace ectoscope {
namespace {

using Kind = IncidentKind;

// What a message's parts are.  kSecret and kValue are passed over: they may hold a value of the
// application's, or an address that tells nobody anything.
enum class Part : uint8_t {
  kNone,
  kTable,
  kConstraint,
  kColumns,
  kMode,
  kMillis,
  kUser,
  kDatabase,
  kApplication,
  kBytes,
  kSecret
};

/// Words, then a part, and so on; the last words may be followed by anything.
struct Piece {
  std::string_view words;
  Part part = Part::kNone;
};

struct Pattern {
  Kind kind;
  std::string_view sqlstate;  // empty: of a LOG message
  std::array<Piece, 5> pieces;
};

constexpr Part kTable = Part::kTable;
constexpr Part kConstraint = Part::kConstraint;
constexpr Part kSecret = Part::kSecret;
constexpr Part kMode = Part::kMode;
constexpr Part kMillis = Part::kMillis;
constexpr std::string_view kClose = "\xC2\xAB";  // «

// English words are those of PostgreSQL 13 to 17, German ones those of its 15's catalogue.  Of rows
// with the same SQLSTATE the first whose words fit tells the kind; if none fits, the last does.
constexpr Pattern kErrors[] = {
    {Kind::kDeadlock, "40P01", {{{"deadlock detected"}}}},
    {Kind::kDeadlock, "40P01", {{{"Verklemmung (Deadlock) entdeckt"}}}},
    {Kind::kSerializationFailure, "40001", {{{"could not serialize access due to "}}}},
    {Kind::kSerializationFailure, "40001", {{{"konnte Zugriff nicht serialisieren wegen "}}}},
    {Kind::kClientCancel, "57014", {{{"canceling statement due to user request"}}}},
    {Kind::kClientCancel, "57014", {{{"storniere Anfrage wegen Benutzeraufforderung"}}}},
    {Kind::kStatementTimeout, "57014", {{{"canceling statement due to statement timeout"}}}},
    {Kind::kStatementTimeout,
     "57014",
     {{{"storniere Anfrage wegen Zeit\xC3\xBC"
        "berschreitung der Anfrage"}}}},
    {Kind::kLockTimeout, "55P03", {{{"canceling statement due to lock timeout"}}}},
    {Kind::kLockTimeout,
     "55P03",
     {{{"storniere Anfrage wegen Zeit\xC3\xBC"
        "berschreitung einer Sperre"}}}},
    {Kind::kIdleTimeout,
     "25P03",
     {{{"terminating connection due to idle-in-transaction timeout"}}}},
    {Kind::kIdleTimeout,
     "25P03",
     {{{"Verbindung wird abgebrochen wegen Zeit\xC3\xBC"
        "berschreitung in inaktiver Transaktion"}}}},
    {Kind::kTransactionTimeout, "25P04", {{{"terminating connection due to transaction timeout"}}}},
    {Kind::kNoSlots, "53300", {{{"sorry, too many clients already"}}}},
    {Kind::kNoSlots, "53300", {{{"remaining connection slots are reserved"}}}},
    {Kind::kNoSlots, "53300", {{{"too many connections for "}}}},
    {Kind::kNoSlots, "53300", {{{"tut mir leid, schon zu viele Verbindungen"}}}},
    {Kind::kNoSlots,
     "53300",
     {{{"die verbleibenden Verbindungen sind f\xC3\xBC"
        "r Superuser"}}}},
    {Kind::kNoSlots, "53300", {{{"zu viele Verbindungen "}}}},
    {Kind::kUniqueViolation,
     "23505",
     {{{"duplicate key value violates unique constraint \"", kConstraint}, {"\""}}}},
    {Kind::kUniqueViolation,
     "23505",
     {{{"doppelter Schl\xC3\xBCsselwert verletzt Unique-Constraint \xC2\xBB", kConstraint},
       {kClose}}}},
    {Kind::kForeignKeyViolation,
     "23503",
     {{{"insert or update on table \"", kTable},
       {"\" violates foreign key constraint \"", kConstraint},
       {"\""}}}},
    {Kind::kForeignKeyViolation,
     "23503",
     {{{"update or delete on table \"", kTable},
       {"\" violates foreign key constraint \"", kConstraint},
       {"\""}}}},
    {Kind::kForeignKeyViolation,
     "23503",
     {{{"Einf\xC3\xBCgen oder Aktualisieren in Tabelle \xC2\xBB", kTable},
       {"\xC2\xAB verletzt Fremdschl\xC3\xBCssel-Constraint \xC2\xBB", kConstraint},
       {kClose}}}},
    {Kind::kForeignKeyViolation,
     "23503",
     {{{"Aktualisieren oder L\xC3\xB6schen in Tabelle \xC2\xBB", kTable},
       {"\xC2\xAB verletzt Fremdschl\xC3\xBCssel-Constraint \xC2\xBB", kConstraint},
       {kClose}}}},
    {Kind::kNotNullViolation,
     "23502",
     {{{"null value in column \"", Part::kColumns}, {"\" of relation \"", kTable}, {"\""}}}},
    {Kind::kNotNullViolation,
     "23502",
     {{{"NULL-Wert in Spalte \xC2\xBB", Part::kColumns},
       {"\xC2\xAB von Relation \xC2\xBB", kTable},
       {kClose}}}},
    {Kind::kCheckViolation,
     "23514",
     {{{"new row for relation \"", kTable},
       {"\" violates check constraint \"", kConstraint},
       {"\""}}}},
    {Kind::kCheckViolation,
     "23514",
     {{{"check constraint \"", kConstraint},
       {"\" of relation \"", kTable},
       {"\" is violated by some row"}}}},
    {Kind::kCheckViolation,
     "23514",
     {{{"neue Zeile f\xC3\xBCr Relation \xC2\xBB", kTable},
       {"\xC2\xAB verletzt Check-Constraint \xC2\xBB", kConstraint},
       {kClose}}}},
    {Kind::kExclusionViolation,
     "23P01",
     {{{"conflicting key value violates exclusion constraint \"", kConstraint}, {"\""}}}},
    {Kind::kExclusionViolation,
     "23P01",
     {{{"kollidierender Schl\xC3\xBCsselwert verletzt Exclusion-Constraint \xC2\xBB", kConstraint},
       {kClose}}}},
};

constexpr Pattern kNotices[] = {
    {Kind::kLockWait,
     "",
     {{{"process ", kSecret},
       {" still waiting for ", kMode},
       {" on ", kSecret},
       {" after ", kMillis},
       {" ms"}}}},
    {Kind::kLockWait,
     "",
     {{{"Prozess ", kSecret},
       {" wartet immer noch auf ", kMode},
       {"-Sperre auf ", kSecret},
       {" nach ", kMillis},
       {" ms"}}}},
    {Kind::kLockAcquired,
     "",
     {{{"process ", kSecret},
       {" acquired ", kMode},
       {" on ", kSecret},
       {" after ", kMillis},
       {" ms"}}}},
    {Kind::kLockAcquired,
     "",
     {{{"Prozess ", kSecret},
       {" erlangte ", kMode},
       {"-Sperre auf ", kSecret},
       {" nach ", kMillis},
       {" ms"}}}},
    {Kind::kConnected,
     "",
     {{{"connection authorized: user=", Part::kUser},
       {" database=", Part::kDatabase},
       {" application_name=", Part::kApplication},
       {}}}},
    {Kind::kConnected,
     "",
     {{{"connection authorized: user=", Part::kUser}, {" database=", Part::kDatabase}, {}}}},
    {Kind::kConnected,
     "",
     {{{"Verbindung autorisiert: Benutzer=", Part::kUser},
       {" Datenbank=", Part::kDatabase},
       {" Anwendungsname=", Part::kApplication},
       {}}}},
    {Kind::kConnected,
     "",
     {{{"Verbindung autorisiert: Benutzer=", Part::kUser}, {" Datenbank=", Part::kDatabase}, {}}}},
    {Kind::kDisconnected, "", {{{"disconnection: session time: "}}}},
    {Kind::kDisconnected, "", {{{"Verbindungsende: Sitzungszeit: "}}}},
    {Kind::kTempFile,
     "",
     {{{"temporary file: path \"", kSecret}, {"\", size ", Part::kBytes}, {}}}},
    {Kind::kTempFile,
     "",
     {{{"tempor\xC3\xA4re Datei: Pfad \xC2\xBB", kSecret},
       {"\xC2\xAB, Gr\xC3\xB6\xC3\x9F"
        "e ",
        Part::kBytes},
       {}}}},
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

uint64_t leading_number(std::string_view text) {
  uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

/// "200.095", and "200,095" as German has it.
Micros millis(std::string_view text) {
  const size_t point = text.find_first_of(".,");
  int64_t micros = static_cast<int64_t>(leading_number(text.substr(0, point))) * 1000;
  if (point != std::string_view::npos && text.size() == point + 4) {
    micros += static_cast<int64_t>(leading_number(text.substr(point + 1)));
  }
  return Micros(micros);
}

/// What SSL or GSS say stands behind the last name.
std::string_view without_encryption(std::string_view text) {
  for (const std::string_view words : {" SSL ", " GSS ", " SSL-"})
    text = text.substr(0, text.find(words));
  return text;
}

void keep(Part part, std::string_view text, IncidentMessage& into) {
  switch (part) {
    case Part::kTable:
      into.table = text;
      break;
    case Part::kConstraint:
      into.constraint = text;
      break;
    case Part::kColumns:
      into.columns = text;
      break;
    case Part::kMode:
      into.lock_mode = text;
      break;
    case Part::kMillis:
      into.waited = millis(text);
      break;
    case Part::kUser:
      into.user = text;
      break;
    case Part::kDatabase:
      into.database = without_encryption(text);
      break;
    case Part::kApplication:
      into.application = without_encryption(text);
      break;
    case Part::kBytes:
      into.bytes = leading_number(text);
      break;
    case Part::kSecret:
    case Part::kNone:
      break;
  }
}

/// Fills `into` with the parts when the message is of this pattern.
bool fits(const Pattern& pattern, std::string_view message, IncidentMessage& into) {
  if (!message.starts_with(pattern.pieces[0].words)) return false;
  into = {};
  into.kind = pattern.kind;
  message.remove_prefix(pattern.pieces[0].words.size());
  for (size_t i = 0; pattern.pieces[i].part != Part::kNone; ++i) {
    const std::string_view next =
        i + 1 < pattern.pieces.size() ? pattern.pieces[i + 1].words : std::string_view{};
    const size_t end = next.empty() ? message.size() : message.find(next);
    if (end == std::string_view::npos) return false;
    keep(pattern.pieces[i].part, message.substr(0, end), into);
    message.remove_prefix(end + next.size());
    if (next.empty()) break;
  }
  return true;
}

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == ',' || c == ' ' || c == '$' || (static_cast<unsigned char>(c) & 0x80U) != 0;
  });
}

/// One kind for all of class 23, integrity constraint violations.
bool is_violation(std::string_view sqlstate) {
  return sqlstate.starts_with("23");
}

}  // namespace

std::optional<IncidentMessage> read_error(std::string_view sqlstate, std::string_view message) {
  IncidentMessage read;
  const Pattern* of_state = nullptr;
  for (const Pattern& pattern : kErrors) {
    if (!sqlstate.empty()) {
      if (pattern.sqlstate != sqlstate) continue;
      of_state = &pattern;
    }
    if (fits(pattern, message, read)) return read;
  }
  if (of_state == nullptr && !is_violation(sqlstate)) return std::nullopt;
  // NOWAIT's refusal is what its caller asked for, and autovacuum gives way by design.
  constexpr std::array<std::string_view, 4> kHealthy = {
      "could not obtain lock on ", "konnte Sperre f\xC3\xBCr ", "canceling autovacuum task",
      "storniere Autovacuum"};
  for (const std::string_view words : kHealthy) {
    if (message.starts_with(words)) return std::nullopt;
  }
  read = {};
  read.kind = of_state == nullptr ? Kind::kOtherViolation : of_state->kind;
  return read;
}

std::optional<IncidentMessage> read_notice(std::string_view message) {
  IncidentMessage read;
  for (const Pattern& pattern : kNotices) {
    if (fits(pattern, message, read)) return read;
  }
  return std::nullopt;
}

bool looks_like_duration(std::string_view message) {
  constexpr size_t kLongestWord = 48;
  const std::string_view front = message.substr(0, kLongestWord);
  const auto* const digit = std::find_if(front.begin(), front.end(), is_digit);
  auto at = static_cast<size_t>(digit - front.begin());
  if (at == front.size() || at < 2) return false;
  const std::string_view words = front.substr(0, at);
  if (!words.ends_with(": ") && !words.ends_with("\xEF\xBC\x9A")) return false;
  while (at < message.size() && is_digit(message[at]))
    ++at;
  const std::string_view fraction = message.substr(at);
  return fraction.size() > 5 && (fraction[0] == '.' || fraction[0] == ',') &&
         is_digit(fraction[1]) && is_digit(fraction[2]) && is_digit(fraction[3]) &&
         fraction[4] == ' ';
}

std::string_view key_columns(std::string_view detail) {
  const size_t open = detail.find('(');
  const size_t close = detail.find(")=(");
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return {};
  const std::string_view columns = detail.substr(open + 1, close - open - 1);
  return columns.size() <= BoundedName::kMax && is_name(columns) ? columns : std::string_view{};
}

std::string_view locked_relation(std::string_view context) {
  struct Words {
    std::string_view begin;
    std::string_view name;
    std::string_view end;
  };
  constexpr Words kWords[] = {{"while ", " in relation \"", "\""},
                              {"beim ", " in Relation \xC2\xBB", kClose}};
  context = context.substr(0, context.find('\n'));
  for (const Words& words : kWords) {
    const size_t at = context.find(words.name);
    if (!context.starts_with(words.begin) || at == std::string_view::npos) continue;
    const std::string_view name = context.substr(at + words.name.size());
    return name.substr(0, name.find(words.end));
  }
  return {};
}

std::optional<int32_t> take_pid(std::string_view& text, char end) {
  while (!text.empty() && text.front() != end && !is_digit(text.front()))
    text.remove_prefix(1);
  if (text.empty() || text.front() == end) return std::nullopt;
  int32_t pid = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
  text.remove_prefix(static_cast<size_t>(stop - text.data()));
  if (error != std::errc()) return std::nullopt;
  return pid;
}

namespace {

/// "WORD PID: SQL"; French has a blank before the colon.
std::optional<ProcessStatement> process_statement(std::string_view line) {
  constexpr size_t kLongestHead = 48;
  size_t colon = line.substr(0, kLongestHead).find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view sql = line.substr(std::min(colon + 2, line.size()));
  while (colon > 0 && line[colon - 1] == ' ')
    --colon;
  std::string_view head = line.substr(0, colon);
  if (head.empty() || !is_digit(head.back())) return std::nullopt;
  const size_t blank = head.find(' ');  // one word, one number
  if (blank == 0 || blank == std::string_view::npos) return std::nullopt;
  head.remove_prefix(blank + 1);
  if (!is_digit(head.front())) return std::nullopt;
  const auto pid = take_pid(head, '\0');
  if (!pid || !head.empty()) return std::nullopt;
  return ProcessStatement{*pid, sql};
}

}  // namespace

std::optional<ProcessStatement> take_process_statement(std::string_view& detail) {
  while (!detail.empty()) {
    const size_t end = detail.find('\n');
    auto statement = process_statement(detail.substr(0, end));
    if (!statement) {
      detail = end == std::string_view::npos ? std::string_view{} : detail.substr(end + 1);
      continue;
    }
    size_t stop = end;  // of its last line
    while (stop != std::string_view::npos) {
      const std::string_view rest = detail.substr(stop + 1);
      if (process_statement(rest.substr(0, rest.find('\n')))) break;
      stop = detail.find('\n', stop + 1);
    }
    const char* const last =
        stop == std::string_view::npos ? detail.data() + detail.size() : detail.data() + stop;
    statement->sql = {statement->sql.data(), static_cast<size_t>(last - statement->sql.data())};
    detail = stop == std::string_view::npos ? std::string_view{} : detail.substr(stop + 1);
    return statement;
  }
  return std::nullopt;
}

}  // namespace ectoscope
