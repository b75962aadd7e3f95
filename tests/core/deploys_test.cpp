#include "core/deploys.h"

#include <gtest/gtest.h>

#include "core/finding.h"

namespace ectoscope {
namespace {

EventTime at(int64_t hour) {
  return EventTime(Micros(hour * 3'600'000'000));
}

TEST(Deploys, TheLastOneBeforeAFindingOfItsApplication) {
  const std::vector<Deploy> deploys = {
      {at(9), "4", ""}, {at(7), "3", "jobs"}, {at(5), "2", "shop"}, {at(3), "1", ""}};
  const auto before = [&](int64_t hour, std::vector<std::string> applications) -> std::string {
    Finding finding;
    finding.first_seen = at(hour);
    finding.applications = std::move(applications);
    const Deploy* const deploy = deploy_before(deploys, finding);
    return deploy == nullptr ? "none" : deploy->version;
  };
  EXPECT_EQ(before(2, {"shop"}), "none");
  EXPECT_EQ(before(3, {"shop"}), "1");
  EXPECT_EQ(before(6, {"shop"}), "2");
  EXPECT_EQ(before(8, {"shop"}), "2");
  EXPECT_EQ(before(8, {"jobs", "shop"}), "3");
  EXPECT_EQ(before(8, {}), "1");
  EXPECT_EQ(before(10, {"shop"}), "4");
}

}  // namespace
}  // namespace ectoscope
