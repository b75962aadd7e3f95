#include "platform/standard_input.h"

#include <string>
#include <unistd.h>

#include <gtest/gtest.h>

#include "platform/posix_log_files.h"

namespace ectoscope {
namespace {

class StandardInput : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(::pipe(pipe_), 0);
    input_ = with_standard_input(*files_, pipe_[0]);
  }
  void TearDown() override {
    end();
    ::close(pipe_[0]);
  }

  void write(const std::string& text) {
    ASSERT_EQ(::write(pipe_[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void end() {
    if (pipe_[1] >= 0) ::close(std::exchange(pipe_[1], -1));
  }
  std::unique_ptr<LogFile> open() { return std::move(input_->open("-").value()); }
  static std::string read(LogFile& file, uint64_t offset, size_t most = 100) {
    std::string text(most, '\0');
    const auto got = file.read_at(offset, text);
    return got.ok() ? text.substr(0, got.value()) : "error: " + got.error().message;
  }

  int pipe_[2] = {-1, -1};
  std::unique_ptr<LogFiles> files_ = make_posix_log_files();
  std::unique_ptr<LogFiles> input_;
};

TEST_F(StandardInput, GrowsAsItComesIn) {
  EXPECT_EQ(input_->facts("-").value().size, 0U);
  write("abc\n");
  EXPECT_EQ(input_->facts("-").value().size, 4U);
  const auto file = open();
  EXPECT_EQ(read(*file, 0), "abc\n");
  write("def\n");
  EXPECT_EQ(file->facts().value().size, 8U);
  EXPECT_EQ(read(*file, 4), "def\n");
  EXPECT_EQ(read(*file, 8), "");
  EXPECT_EQ(file->facts().value().identity, input_->facts("-").value().identity);
}

TEST_F(StandardInput, ItsEndIsSaidWhenAllOfItWasRead) {
  write("abc\n");
  end();
  EXPECT_TRUE(input_->list("-").ok());
  const auto file = open();
  EXPECT_EQ(file->facts().value().size, 4U);
  EXPECT_TRUE(input_->list("-").ok());
  EXPECT_EQ(read(*file, 0), "abc\n");
  ASSERT_FALSE(input_->list("-").ok());
  EXPECT_NE(input_->list("-").error().message.find("standard input has ended"), std::string::npos);
}

TEST_F(StandardInput, TheNextReaderBeginsWhereTheLastOneStopped) {
  write("abc\ndef\n");
  auto file = open();
  const FileIdentity first = file->facts().value().identity;
  EXPECT_EQ(read(*file, 0, 4), "abc\n");
  file.reset();
  EXPECT_NE(input_->facts("-").value().identity, first);
  EXPECT_EQ(input_->facts("-").value().size, 4U);
  EXPECT_EQ(read(*open(), 0), "def\n");
}

/// The writer waits while nobody reads, and only what may be asked for again is kept.
TEST_F(StandardInput, HoldsNoMoreThanItHasTo) {
  const auto file = open();
  const std::string block(size_t{32} * 1024, 'x');
  uint64_t read_to = 0;
  for (int i = 0; i < 40; ++i) {
    write(block);
    EXPECT_EQ(file->facts().value().size, read_to + block.size());
    EXPECT_EQ(read(*file, read_to, block.size()), block);
    read_to += block.size();
  }
  EXPECT_EQ(read(*file, 0, 10), block.substr(0, 10));
  EXPECT_EQ(read(*file, read_to - 64, 64), block.substr(0, 64));
  EXPECT_TRUE(read(*file, 100'000).starts_with("error: standard input"));
}

TEST_F(StandardInput, OtherFilesAreStillThere) {
  EXPECT_EQ(input_->list("/dev/null").value(), std::vector<std::string>{"/dev/null"});
  EXPECT_FALSE(input_->facts("/dev/null").value().regular);
  EXPECT_TRUE(input_->open("/dev/null").ok());
}

}  // namespace
}  // namespace ectoscope
