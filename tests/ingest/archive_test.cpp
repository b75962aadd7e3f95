#include "ingest/archive.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fake_files.h"
#include "tests/ingest/compress.h"

namespace ectoscope {
namespace {

using testing::HasSubstr;

/// Text that compresses neither to nothing nor not at all.
std::string sample(size_t bytes) {
  std::string text;
  uint32_t state = 1;
  while (text.size() < bytes) {
    state = state * 1664525U + 1013904223U;
    text += "line " + std::to_string(state >> 12U) + "\n";
  }
  text.resize(bytes);
  return text;
}

struct ReadAll {
  std::string text;
  std::string error;
  uint64_t consumed = 0;
};

ReadAll read_all(const FakeFiles::Content& content, size_t buffer_bytes = size_t{64} * 1024) {
  FakeFiles files;
  files.put("log", content);
  ReadAll all;
  auto opened = open_archive(files, "log");
  if (!opened.ok()) return {"", opened.error().message, 0};
  std::vector<char> buffer(buffer_bytes);
  for (;;) {
    const Result<size_t> got = opened.value()->read(buffer);
    all.consumed = opened.value()->consumed();
    if (!got.ok()) {
      all.error = got.error().message;
      return all;
    }
    if (got.value() == 0) return all;
    all.text.append(buffer.data(), got.value());
  }
}

TEST(Archive, GivesBackTheText) {
  const std::string text = sample(700'000);
  const std::string empty_gzip = gzip("");
  const struct {
    const char* name;
    std::string bytes;
    std::string expected;
  } cases[] = {
      {"plain", text, text},
      {"empty", "", ""},
      {"shorter than a magic number", "ab\n", "ab\n"},
      {"gzip", gzip(text), text},
      {"gzip of nothing", empty_gzip, ""},
      {"two gzip members", gzip("a\n") + gzip(text), "a\n" + text},
      {"gzip, then zeros", gzip("a\n") + std::string(1000, '\0'), "a\n"},
      {"zstd", zstd(text), text},
      {"two zstd frames", zstd("a\n") + zstd(text), "a\n" + text},
      {"zstd, 64 MiB window", zstd_with_window(text, 26), text},
      {"begins like gzip, but is a log", "\x1F plain\n", "\x1F plain\n"},
  };
  for (const auto& c : cases) {
    for (const size_t at_most : {size_t{1} << 30U, size_t{4096}, size_t{7}}) {
      if (at_most == 7 && c.bytes.size() > 100'000) continue;
      const ReadAll all = read_all({c.bytes, at_most});
      EXPECT_EQ(all.error, "") << c.name;
      EXPECT_EQ(all.text, c.expected) << c.name << ", in pieces of " << at_most;
      EXPECT_EQ(all.consumed, c.bytes.size()) << c.name;
    }
  }
}

TEST(Archive, YieldsWhatCameBeforeTheBreak) {
  const std::string text = sample(700'000);
  for (const std::string& whole : {gzip(text), zstd(text)}) {
    for (const size_t kept : {size_t{5}, whole.size() / 2, whole.size() - 1}) {
      const ReadAll all = read_all({whole.substr(0, kept)});
      EXPECT_THAT(all.error, HasSubstr("log: broken archive at byte " + std::to_string(kept) +
                                       " (the file ends in the middle of the archive), after " +
                                       std::to_string(all.text.size()) + " bytes of log"));
      EXPECT_TRUE(text.starts_with(all.text));
      if (kept == whole.size() / 2) {
        EXPECT_GT(all.text.size(), text.size() / 10);
      }
    }
  }
}

TEST(Archive, DamageIsAnError) {
  const std::string text = sample(700'000);
  for (std::string whole : {gzip(text), zstd(text)}) {
    for (size_t i = 0; i < 64; ++i)
      whole[whole.size() / 2 + i] = static_cast<char>(~whole[whole.size() / 2 + i]);
    const ReadAll all = read_all({whole});
    EXPECT_THAT(all.error, HasSubstr("log: broken archive at byte "));
  }
  EXPECT_THAT(read_all({gzip("a\n") + "garbage"}).error, HasSubstr("broken archive"));
  EXPECT_THAT(read_all({zstd("a\n") + "garbage"}).error, HasSubstr("broken archive"));
}

TEST(Archive, WindowIsBounded) {
  EXPECT_THAT(read_all({zstd_with_window(sample(1000), 27)}).error,
              HasSubstr("needs a window over 64 MiB: compress it again without --long"));
}

TEST(Archive, FailingFile) {
  FakeFiles::Content content{gzip(sample(700'000))};
  content.fails_at = content.bytes.size() / 2;
  const ReadAll all = read_all(content);
  EXPECT_EQ(all.error, "log: reading failed");
  EXPECT_GT(all.text.size(), 0U);
  EXPECT_EQ(read_all({"text", SIZE_MAX, 0}).error, "log: reading failed");
}

TEST(Archive, MissingFile) {
  FakeFiles files;
  const auto opened = open_archive(files, "none");
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().message, "none: no such file");
}

}  // namespace
}  // namespace ectoscope
