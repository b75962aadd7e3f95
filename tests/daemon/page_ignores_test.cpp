#include "daemon/page_ignores.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/posix_files.h"

namespace ectoscope {
namespace {

using testing::HasSubstr;

constexpr const char* kId = "slow_query-0123456789abcdef";

class PageIgnoresTest : public testing::Test {
 protected:
  PageIgnoresTest() {
    std::string name = testing::TempDir() + "ectoscope-ignores-XXXXXX";
    folder_ = mkdtemp(name.data());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string written() const {
    std::ostringstream text;
    text << std::ifstream(folder_ / "ignored.yaml").rdbuf();
    return text.str();
  }

  std::filesystem::path folder_;
  std::unique_ptr<Files> files_ = make_posix_files();
};

TEST_F(PageIgnoresTest, IsThereAtTheNextStart) {
  const std::string why = "said \"fine\": {no} # 'YAML' \\ \u00e9 \x01";
  {
    PageIgnores ignores(*files_, folder_.string());
    EXPECT_TRUE(ignores.rules().empty());
    EXPECT_FALSE(ignores.add(kId, "ada", "first"));
    EXPECT_FALSE(ignores.add(kId, "ada", why));
  }
  PageIgnores ignores(*files_, folder_.string());
  ASSERT_EQ(ignores.rules().size(), 1U);
  EXPECT_EQ(ignores.rules()[0].id, kId);
  EXPECT_EQ(ignores.rules()[0].owner, "ada");
  EXPECT_EQ(ignores.rules()[0].reason, why);
  EXPECT_THAT(ignores.rules()[0].where, HasSubstr("ignored.yaml:"));
  const auto removed = ignores.remove(kId);
  ASSERT_TRUE(removed.ok());
  EXPECT_TRUE(removed.value());
  EXPECT_FALSE(ignores.remove(kId).value());
  EXPECT_TRUE(PageIgnores(*files_, folder_.string()).rules().empty());
}

TEST_F(PageIgnoresTest, WithoutAFolderItIsInMemory) {
  PageIgnores ignores(*files_, "");
  EXPECT_FALSE(ignores.add(kId, "ada", "fine"));
  EXPECT_EQ(ignores.rules().size(), 1U);
}

TEST_F(PageIgnoresTest, LeavesAFileAloneThatItCannotRead) {
  std::ofstream(folder_ / "ignored.yaml") << "ignore: [{id: nonsense}]\n";
  PageIgnores ignores(*files_, folder_.string());
  EXPECT_THAT(ignores.problem(), HasSubstr("ignored.yaml:1:"));
  EXPECT_THAT(ignores.problem(), HasSubstr("problem; none of it is used."));
  const auto error = ignores.add(kId, "ada", "fine");
  ASSERT_TRUE(error);
  EXPECT_THAT(error->message, HasSubstr("ignored.yaml:1:"));
  EXPECT_EQ(written(), "ignore: [{id: nonsense}]\n");
}

TEST_F(PageIgnoresTest, ADiskThatFailsIsTold) {
  PageIgnores ignores(*files_, (folder_ / "absent" / "deep").string());
  EXPECT_TRUE(ignores.add(kId, "ada", "fine"));
  EXPECT_TRUE(ignores.rules().empty()) << "nothing is hidden that would come back at a restart";
}

TEST_F(PageIgnoresTest, HoldsOnlySoMany) {
  PageIgnores ignores(*files_, "");
  const std::string head = "slow_query-0123456789ab";
  for (int i = 1000; i < 2000; ++i)
    ASSERT_FALSE(ignores.add(head + std::to_string(i), "ada", "fine")) << i;
  const auto error = ignores.add(kId, "ada", "fine");
  ASSERT_TRUE(error);
  EXPECT_THAT(error->message, HasSubstr("1000 findings are ignored"));
}

}  // namespace
}  // namespace ectoscope
