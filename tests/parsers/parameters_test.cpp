#include "parsers/parameters.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ectoscope {
namespace {

constexpr HashKey kKey{7, 9};

std::vector<std::string> read(std::string_view detail) {
  ParameterReader reader(detail);
  ParameterValue value;
  std::vector<std::string> texts;
  while (reader.next(value)) {
    std::string text = std::to_string(value.slot) + "=";
    text += value.null ? "NULL" : "'" + std::string(value.text) + "'";
    if (value.truncated) text += " cut";
    texts.push_back(text);
  }
  return texts;
}

TEST(ParameterReader, ReadsWhatPostgresWrites) {
  using testing::ElementsAre;
  using testing::IsEmpty;
  EXPECT_THAT(read("parameters: $1 = '19484'"), ElementsAre("1='19484'"));
  EXPECT_THAT(read("Parameters: $1 = 'a', $2 = NULL, $3 = ''"),
              ElementsAre("1='a'", "2=NULL", "3=''"));
  EXPECT_THAT(read("paramètres : $1 = 'a'"), ElementsAre("1='a'")) << "any language's first word";
  EXPECT_THAT(read("parameters: $1 = 'it''s', $2 = ''''"), ElementsAre("1='it's'", "2='''"));
  EXPECT_THAT(read("parameters: $1 = 'a, $2 = ''b', $2 = 'c'"),
              ElementsAre("1='a, $2 = 'b'", "2='c'"))
      << "what looks like a parameter inside a value is not one";
  EXPECT_THAT(read("parameters: $1 = 'long te...', $2 = '1'"),
              ElementsAre("1='long te...' cut", "2='1'"));
  EXPECT_THAT(read("parameters: $1 = 'a', $2 = 'cut off here"), ElementsAre("1='a'"));
  EXPECT_THAT(read("parameters: $1 = 'a\nb'"), ElementsAre("1='a\nb'"));
  EXPECT_THAT(read(""), IsEmpty());
  EXPECT_THAT(read("Key (email)=(x@y) already exists."), IsEmpty());
}

Query by_key(uint16_t parameters, uint16_t key_slot, std::vector<uint16_t> equal_slots,
             KeyForm form = KeyForm::kSingle) {
  Query query;
  query.parameters = parameters;
  query.key_slot = key_slot;
  query.equal_slots = std::move(equal_slots);
  query.key_form = form;
  return query;
}

Execution hashed(const Query& query, std::string_view detail,
                 const std::vector<std::string_view>& literals = {}) {
  const ValueHasher hasher(kKey);
  Execution execution;
  const ValueHashes from_literals = hasher.literals(query, literals, execution);
  join(query, hasher.parameters(query, detail, execution), from_literals, execution);
  return execution;
}

TEST(ValueHasher, EqualValuesGiveEqualHashesAndOthersDoNot) {
  const Query query = by_key(2, 1, {1});
  const Execution a = hashed(query, "parameters: $1 = '7', $2 = 'x'");
  const Execution same = hashed(query, "Parameters: $1 = '7', $2 = 'x'");
  const Execution other_rest = hashed(query, "parameters: $1 = '7', $2 = 'y'");
  const Execution other_key = hashed(query, "parameters: $1 = '8', $2 = 'x'");
  EXPECT_EQ(a.parameters_hash, same.parameters_hash);
  EXPECT_NE(a.parameters_hash, other_rest.parameters_hash);
  EXPECT_EQ(a.key_hash, other_rest.key_hash) << "the key is slot 1 alone";
  EXPECT_NE(a.key_hash, other_key.key_hash);
  EXPECT_TRUE(a.has(Execution::kHasParameters));
  EXPECT_TRUE(a.has(Execution::kKeyIsInteger));
  EXPECT_EQ(a.key, 7);
  EXPECT_NE(a.values[0], 0U);
  EXPECT_EQ(a.values[0], other_rest.values[0]);
  EXPECT_EQ(a.values[2], 0U) << "no third slot";
}

TEST(ValueHasher, OrderAndNullMatter) {
  const Query query = by_key(2, 0, {});
  const auto hash = [&](const char* detail) { return hashed(query, detail).parameters_hash; };
  EXPECT_NE(hash("parameters: $1 = 'a', $2 = 'b'"), hash("parameters: $1 = 'b', $2 = 'a'"));
  EXPECT_NE(hash("parameters: $1 = 'a', $2 = NULL"), hash("parameters: $1 = 'a', $2 = 'NULL'"));
  EXPECT_EQ(hashed(query, "parameters: $1 = NULL, $2 = 'b'").values[0], 0U);
}

TEST(ValueHasher, UnknownValuesGiveNoHash) {
  const Query query = by_key(2, 1, {1});
  struct {
    const char* why;
    const char* detail;
    bool all;
    bool key;
  } cases[] = {
      {"log_parameter_max_length = 0", "", false, false},
      {"one of two is missing", "parameters: $1 = '7'", false, false},
      {"cut, but not the key", "parameters: $1 = '7', $2 = 'lon...'", false, true},
      {"the key is cut", "parameters: $1 = '7...', $2 = 'x'", false, false},
      {"all there", "parameters: $1 = '7', $2 = 'x'", true, true},
  };
  for (const auto& c : cases) {
    const Execution execution = hashed(query, c.detail);
    EXPECT_EQ(execution.parameters_hash != 0, c.all) << c.why;
    EXPECT_EQ(execution.has(Execution::kHasParameters), c.all) << c.why;
    EXPECT_EQ(execution.key_hash != 0, c.key) << c.why;
  }
}

TEST(ValueHasher, LiteralsFollowTheParameters) {
  Query query = by_key(1, 2, {2});
  query.literals = 1;
  const Execution a = hashed(query, "parameters: $1 = 'x'", {"42"});
  EXPECT_EQ(a.key, 42);
  EXPECT_TRUE(a.has(Execution::kKeyIsInteger));
  EXPECT_NE(a.key_hash, hashed(query, "parameters: $1 = 'x'", {"43"}).key_hash);
  EXPECT_EQ(a.key_hash, hashed(query, "parameters: $1 = 'y'", {"42"}).key_hash);
  EXPECT_NE(hashed(query, "", {"42"}).key_hash, 0U) << "a literal key is known without DETAIL";
}

TEST(ValueHasher, ALiteralEqualsTheParameterOfTheSameText) {
  const Query parameter = by_key(1, 1, {1});
  Query literal = by_key(0, 1, {1});
  EXPECT_EQ(hashed(parameter, "parameters: $1 = '42'").values[0],
            hashed(literal, "", {"42"}).values[0]);
}

TEST(ValueHasher, AStatementWithoutValuesAlwaysHasTheSameHash) {
  const Query query = by_key(0, 0, {});
  EXPECT_NE(hashed(query, "").parameters_hash, 0U);
  EXPECT_EQ(hashed(query, "").parameters_hash, hashed(query, "").key_hash);
  EXPECT_TRUE(hashed(query, "").has(Execution::kHasParameters));
}

TEST(ValueHasher, TellsAListOfOneFromLongerLists) {
  const Query query = by_key(1, 1, {}, KeyForm::kList);
  struct {
    const char* detail;
    bool one;
    bool integer;
  } cases[] = {
      {"parameters: $1 = '{5}'", true, true},     {"parameters: $1 = '{5,6}'", false, false},
      {"parameters: $1 = '{}'", false, false},    {"parameters: $1 = '{a-b}'", true, false},
      {"parameters: $1 = '{{1}}'", false, false}, {"parameters: $1 = '5'", false, false},
  };
  for (const auto& c : cases) {
    const Execution execution = hashed(query, c.detail);
    EXPECT_EQ(execution.has(Execution::kOneElement), c.one) << c.detail;
    EXPECT_EQ(execution.has(Execution::kKeyIsInteger), c.integer) << c.detail;
  }
}

TEST(ValueHasher, OnlyAWholeIntegerIsAnIntegerKey) {
  const Query query = by_key(1, 1, {1});
  for (const char* text : {"12a", "1.5", "", "99999999999999999999", "9f86d081-0000"}) {
    const std::string detail = "parameters: $1 = '" + std::string(text) + "'";
    EXPECT_FALSE(hashed(query, detail).has(Execution::kKeyIsInteger)) << text;
  }
  EXPECT_EQ(hashed(query, "parameters: $1 = '-3'").key, -3);
}

}  // namespace
}  // namespace ectoscope
