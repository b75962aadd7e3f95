#include "parsers/message.h"

#include <gtest/gtest.h>

namespace ectoscope {
namespace {

using Kind = MessageKind;

struct Case {
  const char* why;
  const char* text;
  Kind kind;
  int64_t micros;
  const char* name;
  const char* sql;
};

constexpr Case kCases[] = {
    {"the common form", "duration: 0.078 ms  execute <unnamed>: SELECT 1", Kind::kExecute, 78,
     "<unnamed>", "SELECT 1"},
    {"parse", "duration: 12.345 ms  parse ecto_5: SELECT 1", Kind::kParse, 12345, "ecto_5",
     "SELECT 1"},
    {"bind with a portal", "duration: 1000.001 ms  bind <unnamed>/6Q: SELECT 1", Kind::kBind,
     1000001, "<unnamed>/6Q", "SELECT 1"},
    {"a chunk", "duration: 0.2 ms  execute fetch from <unnamed>/6Q: SELECT 1", Kind::kFetch, 200,
     "<unnamed>/6Q", "SELECT 1"},
    {"simple protocol", "duration: 0.010 ms  statement: BEGIN", Kind::kStatement, 10, "", "BEGIN"},
    {"a plan", "duration: 218.476 ms  plan:\n{\n}", Kind::kPlan, 218476, "", "\n{\n}"},
    {"log_duration", "duration: 0.5 ms", Kind::kDuration, 500, "", ""},
    {"log_statement", "statement: BEGIN", Kind::kStatement, 0, "", "BEGIN"},
    {"log_statement, extended", "execute ecto_1: SELECT 1", Kind::kExecute, 0, "ecto_1",
     "SELECT 1"},
    {"log_statement, chunk", "execute fetch from c/1: SELECT 1", Kind::kFetch, 0, "c/1",
     "SELECT 1"},
    {"a name with a colon", "duration: 1.000 ms  execute my: stmt: SELECT 1", Kind::kExecute, 1000,
     "my: stmt", "SELECT 1"},
    {"a name with slash and spaces", "duration: 1.000 ms  execute a b/c d: select 1",
     Kind::kExecute, 1000, "a b/c d", "select 1"},
    {"a colon in the statement", "duration: 1.000 ms  execute q: SELECT ': with'", Kind::kExecute,
     1000, "q", "SELECT ': with'"},
    {"a statement that begins with a comment", "duration: 1.000 ms  execute q: /* a: b */ SELECT 1",
     Kind::kExecute, 1000, "q", "/* a: b */ SELECT 1"},
    {"an unknown first word: the first colon", "duration: 1.000 ms  execute q: FROB x: y",
     Kind::kExecute, 1000, "q", "FROB x: y"},
    {"an empty statement", "duration: 1.000 ms  execute <unnamed>: ", Kind::kExecute, 1000,
     "<unnamed>", ""},
    {"a parse record whose statement was not read", "duration: 1.000 ms  parse ecto_7",
     Kind::kParse, 1000, "ecto_7", ""},
    {"German", "Dauer: 0.500 ms  Ausführen ecto_1: SELECT 1", Kind::kExecute, 500, "ecto_1",
     "SELECT 1"},
    {"German chunk", "Dauer: 0.500 ms  Ausführen Fetch von <unnamed>/1: SELECT 1", Kind::kFetch,
     500, "<unnamed>/1", "SELECT 1"},
    {"German bind", "Dauer: 0.500 ms  Binden <unnamed>: SELECT 1", Kind::kBind, 500, "<unnamed>",
     "SELECT 1"},
    {"German, log_statement", "Anweisung: BEGIN", Kind::kStatement, 0, "", "BEGIN"},
    {"French parse", "durée : 0.500 ms, analyse <unnamed> : SELECT 1", Kind::kParse, 500,
     "<unnamed>", "SELECT 1"},
    {"French statement", "durée : 0.500 ms, instruction : BEGIN", Kind::kStatement, 500, "",
     "BEGIN"},
    {"French execute", "durée : 0.500 ms  exécute ecto_2: SELECT 1", Kind::kExecute, 500, "ecto_2",
     "SELECT 1"},
    {"Spanish parse", "duración: 0.500 ms  parse: <unnamed>: SELECT 1", Kind::kParse, 500,
     "<unnamed>", "SELECT 1"},
    {"Russian", "продолжительность: 0.500 мс, разбор ecto_2: SELECT 1", Kind::kParse, 500, "ecto_2",
     "SELECT 1"},
    {"Japanese", "期間: 0.500 ミリ秒  実行 ecto_2: SELECT 1", Kind::kExecute, 500, "ecto_2",
     "SELECT 1"},
    {"auto_explain stays English", "duration: 3.000 ms  plan:\nQuery Text: x", Kind::kPlan, 3000,
     "", "\nQuery Text: x"},
    {"no number", "duration: fast", Kind::kOther, 0, "", ""},
    {"an absurd number", "duration: 99999999999999999999.0 ms", Kind::kOther, 0, "", ""},
    {"cut in the middle", "duration: 0.07", Kind::kOther, 70, "", ""},
    {"another message", "connection received: host=127.0.0.1 port=47168", Kind::kOther, 0, "", ""},
    {"fastpath is not a statement", "duration: 0.1 ms  fastpath function call: \"f\" (OID 1)",
     Kind::kOther, 100, "", ""},
    {"empty", "", Kind::kOther, 0, "", ""},
};

TEST(Message, ReadsEachForm) {
  for (const Case& c : kCases) {
    const Message message = read_message(c.text);
    EXPECT_EQ(message.kind, c.kind) << c.why;
    EXPECT_EQ(message.duration.count(), c.micros) << c.why;
    EXPECT_EQ(message.name, c.name) << c.why;
    EXPECT_EQ(message.sql, c.sql) << c.why;
  }
}

TEST(Message, PortalIsWhatFollowsTheLastSlash) {
  EXPECT_EQ(without_portal("<unnamed>/6Q"), "<unnamed>");
  EXPECT_EQ(without_portal("a/b/c"), "a/b");
  EXPECT_EQ(without_portal("ecto_5"), "ecto_5");
}

}  // namespace
}  // namespace ectoscope
