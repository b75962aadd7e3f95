#include "parsers/message.h"

#include <algorithm>
#include <array>

namespace ectoscope {
namespace {

using Kind = MessageKind;

constexpr std::string_view kUnnamed = "<unnamed>";

struct Phrase {
  std::string_view words;
  Kind kind;
};

/// One language's form of "duration: 0.1 ms  execute NAME: SQL".
struct Language {
  std::string_view lead;          // up to the number
  std::string_view unit;          // between the number and the phrase
  std::array<Phrase, 5> phrases;  // a phrase that begins with another one stands before it
};

constexpr Language kEnglish = {"duration: ",
                               " ms",
                               {{{"  execute fetch from ", Kind::kFetch},
                                 {"  execute ", Kind::kExecute},
                                 {"  bind ", Kind::kBind},
                                 {"  parse ", Kind::kParse},
                                 {"  statement: ", Kind::kStatement}}}};

// From the message catalogues of PostgreSQL 15.  Georgian and Korean put the name before the verb
// and are left out.
constexpr std::array<Language, 10> kTranslations = {{
    {"Dauer: ",
     " ms",
     {{{"  Ausführen Fetch von ", Kind::kFetch},
       {"  Ausführen ", Kind::kExecute},
       {"  Binden ", Kind::kBind},
       {"  Parsen ", Kind::kParse},
       {"  Anweisung: ", Kind::kStatement}}}},
    {"duración: ",
     " ms",
     {{{"  ejecutar fetch desde ", Kind::kFetch},
       {"  ejecutar ", Kind::kExecute},
       {"  bind ", Kind::kBind},
       {"  parse: ", Kind::kParse},
       {"  sentencia: ", Kind::kStatement}}}},
    {"durée : ",
     " ms",
     {{{"  exécute fetch à partir de ", Kind::kFetch},
       {"  exécute ", Kind::kExecute},
       {", lien ", Kind::kBind},
       {", analyse ", Kind::kParse},
       {", instruction : ", Kind::kStatement}}}},
    {"durata: ",
     " ms",
     {{{"  esecuzione di fetch da ", Kind::kFetch},
       {"  esecuzione di ", Kind::kExecute},
       {"  bind ", Kind::kBind},
       {"  analisi di ", Kind::kParse},
       {"  istruzione: ", Kind::kStatement}}}},
    {"期間: ",
     " ミリ秒",
     {{{"  取り出し実行 ", Kind::kFetch},
       {"  実行 ", Kind::kExecute},
       {"  バインド ", Kind::kBind},
       {"  パース", Kind::kParse},
       {"  文: ", Kind::kStatement}}}},
    {"продолжительность: ",
     " мс",
     {{{"  выборка из ", Kind::kFetch},
       {"  выполнение ", Kind::kExecute},
       {", сообщение Bind ", Kind::kBind},
       {", разбор ", Kind::kParse},
       {", оператор: ", Kind::kStatement}}}},
    {"varaktighet: ",
     " ms",
     {{{"  kör hämtning från ", Kind::kFetch},
       {"  kör ", Kind::kExecute},
       {"  bind ", Kind::kBind},
       {"  parse ", Kind::kParse},
       {"  sats: ", Kind::kStatement}}}},
    {"тривалість: ",
     " мс",
     {{{" виконати витягнення з ", Kind::kFetch},
       {" виконувати ", Kind::kExecute},
       {", повідомлення bind ", Kind::kBind},
       {", аналізування ", Kind::kParse},
       {", оператор: ", Kind::kStatement}}}},
    {"耗时: ",
     " ms",
     {{{"  执行提取，来源为 ", Kind::kFetch},
       {"  执行 ", Kind::kExecute},
       {"  绑定 ", Kind::kBind},
       {"  解析 ", Kind::kParse},
       {"  语句: ", Kind::kStatement}}}},
    {"持續時間: ",
     " 毫秒",
     {{{"  執行擷取，來源為 ", Kind::kFetch},
       {"  執行 ", Kind::kExecute},
       {"  繫結 ", Kind::kBind},
       {"  解析 ", Kind::kParse},
       {"  陳述式: ", Kind::kStatement}}}},
}};

constexpr std::string_view kPlan = "  plan:";  // auto_explain has no translations

/// "12.345" at the front of `text`, in microseconds; false when no number stands there.
bool take_millis(std::string_view& text, Micros& duration) {
  constexpr size_t kMaxDigits = 12;  // 30 years
  int64_t micros = 0;
  size_t at = 0;
  const auto digit = [&] { return at < text.size() && text[at] >= '0' && text[at] <= '9'; };
  for (; digit() && at < kMaxDigits; ++at)
    micros = micros * 10 + (text[at] - '0');
  if (at == 0 || digit()) return false;
  micros *= 1000;
  if (at < text.size() && text[at] == '.') {
    ++at;
    for (int64_t worth = 100; digit(); ++at, worth /= 10)
      micros += worth * (text[at] - '0');
  }
  text.remove_prefix(at);
  duration = Micros(micros);
  return true;
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Whether `text` may begin a statement; for telling a name with ": " in it from its statement.
bool begins_statement(std::string_view text) {
  if (text.starts_with("SELECT") || text.starts_with("INSERT") || text.starts_with("UPDATE")) {
    return true;  // nearly all: the list below is slow
  }
  constexpr std::array<std::string_view, 36> kFirstWords = {
      "select",    "insert",   "update", "delete", "with",    "begin",  "commit", "rollback",
      "savepoint", "release",  "start",  "end",    "set",     "show",   "create", "alter",
      "drop",      "truncate", "copy",   "lock",   "call",    "do",     "merge",  "values",
      "table",     "explain",  "fetch",  "close",  "declare", "listen", "notify", "refresh",
      "vacuum",    "analyze",  "reset",  "grant"};
  const size_t start = text.find_first_not_of(" \t\n(");
  if (start == std::string_view::npos) return false;
  text.remove_prefix(start);
  if (text.starts_with("/*") || text.starts_with("--")) return true;
  return std::any_of(kFirstWords.begin(), kFirstWords.end(), [&](std::string_view word) {
    return text.size() >= word.size() && std::equal(word.begin(), word.end(), text.begin(),
                                                    [](char a, char b) { return a == lower(b); });
  });
}

/// Splits "NAME: SQL".  A name may hold ": " itself: the first split that leaves a statement wins,
/// and the very first one if none does.
void split_name(std::string_view rest, Message& message) {
  if (rest.starts_with("<unnamed>: ")) {
    message.name = kUnnamed;
    message.sql = rest.substr(kUnnamed.size() + 2);
    return;
  }
  const size_t from = rest.starts_with(kUnnamed) ? kUnnamed.size() : 0;
  size_t chosen = rest.find(": ", from);
  for (size_t at = chosen; at != std::string_view::npos; at = rest.find(": ", at + 1)) {
    constexpr size_t kLongestName = 200;
    if (at > kLongestName || at + 2 == rest.size()) break;
    if (!begins_statement(rest.substr(at + 2))) continue;
    chosen = at;
    break;
  }
  if (chosen == std::string_view::npos) {  // an empty statement ends in "NAME: ", maybe trimmed
    message.name = rest.substr(0, rest.find(':', from));
    return;
  }
  message.name = rest.substr(0, chosen);
  message.sql = rest.substr(chosen + 2);
  if (message.name.ends_with(' ')) message.name.remove_suffix(1);  // French: "NAME : SQL"
}

void take_rest(Kind kind, std::string_view rest, Message& message) {
  message.kind = kind;
  if (kind == Kind::kStatement) {
    message.sql = rest;
  } else {
    split_name(rest, message);
  }
}

/// The English phrase by its first letter: parse and bind are two thirds of a log's records.
bool take_english(std::string_view rest, Message& message) {
  const auto take = [&](Kind kind, std::string_view words) {
    if (!rest.starts_with(words)) return false;
    take_rest(kind, rest.substr(words.size()), message);
    return true;
  };
  switch (rest.size() > 2 ? rest[2] : '\0') {
    case 'b':
      return take(Kind::kBind, "  bind ");
    case 'e':
      return take(Kind::kFetch, "  execute fetch from ") || take(Kind::kExecute, "  execute ");
    case 'p':
      return take(Kind::kParse, "  parse ");
    case 's':
      return take(Kind::kStatement, "  statement: ");
    default:
      return false;
  }
}

bool take_phrase(const Language& language, std::string_view rest, Message& message) {
  for (const Phrase& phrase : language.phrases) {
    if (!rest.starts_with(phrase.words)) continue;
    take_rest(phrase.kind, rest.substr(phrase.words.size()), message);
    return true;
  }
  return false;
}

/// What follows "duration: X".
Message read_timed(const Language& language, std::string_view rest) {
  Message message;
  if (!take_millis(rest, message.duration)) return message;
  message.timed = true;
  if (!rest.starts_with(language.unit)) return message;
  rest.remove_prefix(language.unit.size());
  if (rest.empty()) {
    message.kind = Kind::kDuration;
    return message;
  }
  const bool english = &language == &kEnglish;
  if (english ? take_english(rest, message) : take_phrase(language, rest, message)) return message;
  if (rest.starts_with(kPlan)) {
    message.kind = Kind::kPlan;
    message.sql = rest.substr(kPlan.size());
  }
  return message;
}

/// log_statement's form: the same words without the duration.
bool read_untimed(const Language& language, std::string_view text, Message& message) {
  for (const Phrase& phrase : language.phrases) {
    if (phrase.kind == Kind::kParse || phrase.kind == Kind::kBind) continue;
    std::string_view words = phrase.words;
    words.remove_prefix(words.find_first_not_of(" ,"));
    if (!text.starts_with(words)) continue;
    take_rest(phrase.kind, text.substr(words.size()), message);
    return true;
  }
  return false;
}

}  // namespace

Message read_message(std::string_view text) {
  if (text.starts_with(kEnglish.lead)) {
    return read_timed(kEnglish, text.substr(kEnglish.lead.size()));
  }
  Message message;
  if (read_untimed(kEnglish, text, message)) return message;
  for (const Language& language : kTranslations) {
    if (text.starts_with(language.lead)) {
      return read_timed(language, text.substr(language.lead.size()));
    }
    if (read_untimed(language, text, message)) return message;
  }
  return message;
}

std::string_view without_portal(std::string_view label) {
  const size_t slash = label.rfind('/');
  return slash == std::string_view::npos ? label : label.substr(0, slash);
}

}  // namespace ectoscope
