#include "parsers/line_words.h"

#include <array>
#include <cstring>

namespace ectoscope {
namespace {

struct Severity {
  std::string_view word;
  LogSeverity severity;
};

constexpr Severity kSeverities[] = {
    {"LOG", LogSeverity::kLog},           {"ERROR", LogSeverity::kError},
    {"FATAL", LogSeverity::kFatal},       {"WARNING", LogSeverity::kWarning},
    {"NOTICE", LogSeverity::kNotice},     {"INFO", LogSeverity::kInfo},
    {"PANIC", LogSeverity::kPanic},       {"DEBUG", LogSeverity::kDebug},
    {"DEBUG1", LogSeverity::kDebug},      {"DEBUG2", LogSeverity::kDebug},
    {"DEBUG3", LogSeverity::kDebug},      {"DEBUG4", LogSeverity::kDebug},
    {"DEBUG5", LogSeverity::kDebug},      {"FEHLER", LogSeverity::kError},
    {"WARNUNG", LogSeverity::kWarning},   {"HINWEIS", LogSeverity::kNotice},
    {"PANIK", LogSeverity::kPanic},       {"ERREUR", LogSeverity::kError},
    {"ATTENTION", LogSeverity::kWarning}, {"ADVERTENCIA", LogSeverity::kWarning},
};

struct Part {
  std::string_view text;
  LinePart part;
};

constexpr Part kParts[] = {
    {"DETAIL:  ", LinePart::kDetail},
    {"STATEMENT:  ", LinePart::kStatement},
    {"HINT:  ", LinePart::kHint},
    {"CONTEXT:  ", LinePart::kContext},
    {"QUERY:  ", LinePart::kOther},
    {"BACKTRACE:  ", LinePart::kOther},
    // German
    {"TIPP:  ", LinePart::kHint},
    {"ZUSAMMENHANG:  ", LinePart::kContext},
    {"ANWEISUNG:  ", LinePart::kStatement},
    {"ANFRAGE:  ", LinePart::kOther},
    // French
    {"D\xC3\x89TAIL:  ", LinePart::kDetail},
    {"D\xC9TAIL:  ", LinePart::kDetail},
    {"ASTUCE :  ", LinePart::kHint},
    {"CONTEXTE :  ", LinePart::kContext},
    {"INSTRUCTION :  ", LinePart::kStatement},
    {"REQU\xC3\x8ATE :  ", LinePart::kOther},
    {"REQU\xCATE :  ", LinePart::kOther},
    {"PILE D'APPEL : ", LinePart::kOther},
    // Spanish
    {"DETALLE:  ", LinePart::kDetail},
    {"SUGERENCIA:  ", LinePart::kHint},
    {"CONTEXTO:  ", LinePart::kContext},
    {"SENTENCIA:  ", LinePart::kStatement},
    {"CONSULTA:  ", LinePart::kOther},
};

constexpr std::string_view kLocations[] = {
    "LOCATION:  ", "ORT:  ", "EMPLACEMENT :  ", "UBICACI\xC3\x93N:  ", "UBICACI\xD3N:  "};

constexpr std::string_view kPositions[] = {
    " at character ",    " bei Zeichen ",           " au caract\xC3\xA8re ",
    " au caract\xE8re ", " en car\xC3\xA1\x63ter ", " en car\xE1\x63ter ",
};

constexpr size_t kLongestSeverity = 11;

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}

/// Most texts differ in their first byte from most words.
bool begins(std::string_view text, std::string_view word) {
  return text[0] == word[0] && text.starts_with(word);
}

LineWord record(LogSeverity severity, size_t word_length) {
  return {LinePart::kRecord, severity, static_cast<uint32_t>(word_length + 3), false};
}

}  // namespace

LineWord read_line_word(std::string_view text) {
  if (text.size() < 6 || !is_upper(text[0])) return {};
  if (std::memcmp(text.data(), "LOG:  ", 6) == 0) return record(LogSeverity::kLog, 3);
  if (text.size() >= 9 && std::memcmp(text.data(), "DETAIL:  ", 9) == 0)
    return {LinePart::kDetail, LogSeverity::kUnknown, 9, false};
  for (const Part& part : kParts)
    if (begins(text, part.text))
      return {part.part, LogSeverity::kUnknown, static_cast<uint32_t>(part.text.size()), false};
  for (const std::string_view location : kLocations)
    if (begins(text, location))
      return {LinePart::kOther, LogSeverity::kUnknown, static_cast<uint32_t>(location.size()),
              true};
  for (const Severity& known : kSeverities)
    if (begins(text, known.word) && text.substr(known.word.size()).starts_with(":  "))
      return record(known.severity, known.word.size());
  return {};
}

LogSeverity read_severity(std::string_view word) {
  for (const Severity& known : kSeverities)
    if (word == known.word) return known.severity;
  return LogSeverity::kUnknown;
}

size_t find_severity(std::string_view text, size_t from) {
  for (size_t colon = text.find(":  ", from); colon != std::string_view::npos;
       colon = text.find(":  ", colon + 1)) {
    size_t begin = colon;
    while (begin > from && colon - begin < kLongestSeverity &&
           (is_upper(text[begin - 1]) || (text[begin - 1] >= '1' && text[begin - 1] <= '5')))
      --begin;
    for (; begin < colon; ++begin)
      if (read_severity(text.substr(begin, colon - begin)) != LogSeverity::kUnknown) return begin;
  }
  return std::string_view::npos;
}

std::string_view without_position(std::string_view message) {
  size_t digits = message.size();
  while (digits > 0 && message[digits - 1] >= '0' && message[digits - 1] <= '9')
    --digits;
  if (digits == message.size()) return message;
  const std::string_view head = message.substr(0, digits);
  for (const std::string_view position : kPositions)
    if (head.ends_with(position)) return head.substr(0, head.size() - position.size());
  return message;
}

}  // namespace ectoscope
