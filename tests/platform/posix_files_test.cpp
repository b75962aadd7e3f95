#include "platform/posix_files.h"

#include <array>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ectoscope {
namespace {

using testing::HasSubstr;

class PosixFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        std::filesystem::temp_directory_path() / ("ectoscope_files_" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& text) {
    const std::filesystem::path path = folder_ / name;
    std::ofstream(path, std::ios::binary) << text;
    return path.string();
  }

  std::string error_of(const std::string& path) {
    const Result<std::unique_ptr<InputFile>> file = files_->open(path);
    return file.ok() ? "" : file.error().message;
  }

  std::filesystem::path folder_;
  std::unique_ptr<Files> files_ = make_posix_files();
};

TEST_F(PosixFilesTest, ReadsToTheEnd) {
  auto file = files_->open(write("a.log", "two\nlines\n"));
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file.value()->size(), 10U);
  std::array<char, 4> buffer{};
  std::string text;
  for (;;) {
    const Result<size_t> got = file.value()->read(buffer);
    ASSERT_TRUE(got.ok());
    if (got.value() == 0) break;
    text.append(buffer.data(), got.value());
  }
  EXPECT_EQ(text, "two\nlines\n");
}

TEST_F(PosixFilesTest, SaysWhatIsWrong) {
  EXPECT_EQ(
      error_of((folder_ / "none.log").string()),
      (folder_ / "none.log").string() + ": no such file; check the name and the working directory");
  EXPECT_EQ(error_of(folder_.string()), folder_.string() +
                                            ": is a directory; name the files in it, as in " +
                                            folder_.string() + "/*.log");
  EXPECT_THAT(error_of(write("a.log", "") + "/b"), HasSubstr("cannot be opened"));
}

TEST_F(PosixFilesTest, UnreadableFile) {
  const std::string path = write("secret.log", "x");
  ASSERT_EQ(::chmod(path.c_str(), 0), 0);
  ASSERT_EQ(::chmod(folder_.c_str(), 0755), 0);
  constexpr uid_t kNobody = 65534;  // root may read everything
  const uid_t self = ::geteuid();
  if (self == 0) {
    ASSERT_EQ(::seteuid(kNobody), 0);
  }
  const std::string error = error_of(path);
  ASSERT_EQ(::seteuid(self), 0);
  EXPECT_THAT(error, HasSubstr("permission denied; run as a user who may read it"));
}

TEST_F(PosixFilesTest, PipeHasNoSize) {
  const std::string path = (folder_ / "pipe").string();
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  std::fstream other_end(path, std::ios::in | std::ios::out);  // or open() would wait
  auto file = files_->open(path);
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file.value()->size(), 0U);
}

TEST_F(PosixFilesTest, StandardInput) {
  auto file = files_->open("-");
  ASSERT_TRUE(file.ok());
  file.value().reset();
  EXPECT_NE(::dup(STDIN_FILENO), -1) << "closed by the file";
}

}  // namespace
}  // namespace ectoscope
