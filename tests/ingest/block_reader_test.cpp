#include "ingest/block_reader.h"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include "tests/fake_files.h"
#include "tests/ingest/compress.h"

namespace ectoscope {
namespace {

/// Takes whole lines, as a parser takes whole records.
class Lines final : public BlockConsumer {
 public:
  size_t consume(std::string_view block, bool last) override {
    longest_block = std::max(longest_block, block.size());
    ends += last ? 1 : 0;
    size_t at = 0;
    for (size_t end = block.find('\n'); end != std::string_view::npos; end = block.find('\n', at)) {
      lines.emplace_back(block.substr(at, end - at));
      at = end + 1;
    }
    if (last && at < block.size()) cut = block.substr(at);
    return last ? block.size() : at;
  }
  void skipped(uint64_t bytes) override { thrown_away += bytes; }

  std::vector<std::string> lines;
  std::string cut;
  uint64_t thrown_away = 0;
  size_t longest_block = 0;
  int ends = 0;
};

struct Outcome {
  Lines lines;
  Result<uint64_t> result{uint64_t{0}};
  std::vector<ReadProgress> progress;
};

Outcome read_blocks_of(const FakeFiles::Content& content, const BlockLimits& limits) {
  FakeFiles files;
  files.put("log", content);
  Outcome outcome;
  auto opened = open_archive(files, "log");
  outcome.result =
      read_blocks(*opened.value(), outcome.lines, limits,
                  [&](const ReadProgress& progress) { outcome.progress.push_back(progress); });
  return outcome;
}

TEST(BlockReader, EveryLineOnceWhateverTheBlocks) {
  std::string text;
  std::vector<std::string> expected;
  for (size_t i = 0; i < 500; ++i) {
    expected.push_back(std::string(i * 7 % 61, 'x') + std::to_string(i));
    text += expected.back() + "\n";
  }
  for (const size_t block : {size_t{64}, size_t{100}, size_t{4096}, size_t{1} << 20U})
    for (const size_t at_most : {size_t{1}, size_t{33}, SIZE_MAX}) {
      const Outcome r = read_blocks_of({text, at_most}, {block, 1 << 20});
      ASSERT_TRUE(r.result.ok());
      EXPECT_EQ(r.result.value(), text.size());
      EXPECT_EQ(r.lines.lines, expected) << block << " " << at_most;
      EXPECT_EQ(r.lines.ends, 1);
    }
}

TEST(BlockReader, GrowsForLongRecordsAndShrinksAgain) {
  const std::string text = "a\n" + std::string(5000, 'b') + "\n" + std::string(300, 'c') + "\nd\n";
  const Outcome r = read_blocks_of({text}, {64, 8192});
  ASSERT_EQ(r.lines.lines.size(), 4U);
  EXPECT_EQ(r.lines.lines[1].size(), 5000U);
  EXPECT_EQ(r.lines.thrown_away, 0U);
  EXPECT_LE(r.lines.longest_block, 8192U);
}

TEST(BlockReader, ThrowsAwayWhatOutgrowsTheBound) {
  // Counted to the byte: what is thrown away and what still comes make up the record.
  const std::string text = "a\n" + std::string(10'000, 'b') + "\nc\n";
  const Outcome r = read_blocks_of({text}, {64, 1024});
  EXPECT_LE(r.lines.longest_block, 1024U);
  EXPECT_GT(r.lines.thrown_away, 8000U);
  ASSERT_EQ(r.lines.lines.size(), 3U);
  EXPECT_EQ(r.lines.thrown_away + r.lines.lines[1].size(), 10'000U);
  EXPECT_EQ(r.lines.lines[2], "c");
}

TEST(BlockReader, NeverAWholeRecord) {
  const Outcome r = read_blocks_of({std::string(3'000'000, '\0')}, {1 << 16, 1 << 18});
  EXPECT_EQ(r.result.value(), 3'000'000U);
  EXPECT_LE(r.lines.longest_block, size_t{1} << 18U);
  EXPECT_EQ(r.lines.thrown_away + r.lines.cut.size(), 3'000'000U);
}

TEST(BlockReader, EmptyFile) {
  const Outcome r = read_blocks_of({""}, {});
  EXPECT_EQ(r.result.value(), 0U);
  EXPECT_EQ(r.lines.ends, 1);
}

TEST(BlockReader, AfterAnErrorTheRestIsStillGiven) {
  const std::string whole = gzip("a\nb\nc");
  const Outcome r = read_blocks_of({whole.substr(0, whole.size() - 4)}, {});
  EXPECT_FALSE(r.result.ok());
  EXPECT_EQ(r.lines.lines, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(r.lines.cut, "c");
  EXPECT_EQ(r.lines.ends, 1);
}

TEST(BlockReader, ProgressCountsTheFileItself) {
  const std::string whole = zstd(std::string(100'000, 'x') + "\n");
  const Outcome r = read_blocks_of({whole}, {4096, 1 << 20});
  ASSERT_FALSE(r.progress.empty());
  EXPECT_EQ(r.progress.back().bytes, 100'001U);
  EXPECT_EQ(r.progress.back().consumed, whole.size());
  EXPECT_EQ(r.progress.back().size, whole.size());
}

}  // namespace
}  // namespace ectoscope
