#include "outputs/deploys_api.h"

#include <gtest/gtest.h>

namespace ectoscope {
namespace {

TEST(DeploysApi, WhatIsTaken) {
  const auto note =
      read_deploy(R"({"version": "1.4.2", "application": "shop", "time": "2026-11-22T08:00:00Z"})");
  ASSERT_TRUE(note.ok());
  EXPECT_EQ(note.value().version, "1.4.2");
  EXPECT_EQ(note.value().application, "shop");
  EXPECT_EQ(note.value().time, "2026-11-22T08:00:00Z");
  EXPECT_TRUE(read_deploy(R"({"version": "1"})").ok());
}

TEST(DeploysApi, WhatIsNot) {
  const std::string long_text(101, 'x');
  for (const std::string& body :
       {std::string(), std::string("[]"), std::string(R"({"version": 1})"),
        std::string(R"({"application": "shop"})"), std::string(R"({"version": ""})"),
        std::string(R"({"version": "1", "colour": "red"})"), std::string(R"({"version": "1\n2"})"),
        R"({"version": ")" + long_text + "\"}",
        R"({"version": "1", "application": ")" + long_text + "\"}"}) {
    EXPECT_FALSE(read_deploy(body).ok()) << body;
  }
}

TEST(DeploysApi, Json) {
  const Deploy deploy{EventTime(Micros(0)), "1.4.2", "shop"};
  EXPECT_EQ(deploy_json(deploy),
            "{\"version\": \"1.4.2\", \"application\": \"shop\", \"time\": "
            "\"1970-01-01T00:00:00.000000Z\"}\n");
  EXPECT_NE(deploys_json({deploy, deploy}).find("\"deploys\": ["), std::string::npos);
  EXPECT_EQ(deploy_name(deploy), "1.4.2 (shop)");
  EXPECT_EQ(deploy_name({EventTime(), "7", ""}), "7");
}

}  // namespace
}  // namespace ectoscope
