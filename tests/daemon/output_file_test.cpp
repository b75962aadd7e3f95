#include "daemon/output_file.h"

#include <filesystem>
#include <fstream>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/golden.h"

namespace ectoscope {
namespace {

namespace fs = std::filesystem;

class OutputFile : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / ("output_file." + std::to_string(getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] std::string path(const char* name) const { return (folder_ / name).string(); }
  [[nodiscard]] size_t files() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(folder_), {}));
  }

 private:
  fs::path folder_;
};

TEST_F(OutputFile, WritesAllOfIt) {
  const std::string text(1'000'000, 'x');
  EXPECT_FALSE(write_file(path("a"), [&](std::ostream& out) { out << text; }));
  EXPECT_EQ(read_text(path("a")), text);
  EXPECT_EQ(files(), 1U);
}

TEST_F(OutputFile, TheOldOneStaysUntilTheNewOneIsWhole) {
  std::ofstream(path("a")) << "old";
  EXPECT_FALSE(write_file(path("a"), [&](std::ostream& out) {
    out << "new" << std::flush;
    EXPECT_EQ(read_text(path("a")), "old");
  }));
  EXPECT_EQ(read_text(path("a")), "new");
}

TEST_F(OutputFile, WhatIsPrivateStaysSo) {
  const auto others_may = [&] {  // of all that is in the folder
    fs::perms rights = fs::perms::none;
    for (const auto& entry : fs::directory_iterator(fs::path(path("a")).parent_path()))
      rights |= entry.status().permissions() & (fs::perms::group_all | fs::perms::others_all);
    return rights != fs::perms::none;
  };
  std::ofstream(path("a")) << "old";
  fs::permissions(path("a"), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_FALSE(write_file(path("a"), [&](std::ostream& out) {
    out << "new" << std::flush;
    EXPECT_EQ(files(), 2U);
    EXPECT_FALSE(others_may()) << "while it is written";
  }));
  EXPECT_FALSE(others_may());
}

TEST_F(OutputFile, AFailureLeavesNothingBehind) {
  std::ofstream(path("a")) << "old";
  const auto error = write_file(path("a"), [](std::ostream& out) {
    out << "part" << std::flush, out.setstate(std::ios::badbit);
  });
  ASSERT_TRUE(error);
  EXPECT_THAT(error->message, testing::HasSubstr("cannot write " + path("a")));
  EXPECT_EQ(read_text(path("a")), "old");
  EXPECT_EQ(files(), 1U);
}

TEST_F(OutputFile, SaysWhatIsWrong) {
  const auto write = [](std::ostream& out) { out << "x"; };
  EXPECT_THAT(write_file(path("no/a"), write)->message, testing::HasSubstr("No such file"));
  fs::create_directory(path("d"));
  EXPECT_THAT(write_file(path("d"), write)->message, testing::HasSubstr("is a directory"));
  EXPECT_THAT(write_file("/dev/full", write)->message, testing::HasSubstr("No space left"));
}

}  // namespace
}  // namespace ectoscope
