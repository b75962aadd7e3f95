#include "detectors/registry.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include <gtest/gtest.h>

namespace ectoscope {
namespace {

const std::filesystem::path kSource = SOURCE_DIR;

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Registry, HasEachFileOfTheFolderOnceAndInOrder) {
  std::set<std::string> files;
  for (const auto& file : std::filesystem::directory_iterator(kSource / "detectors")) {
    if (file.path().extension() == ".cpp") files.insert(file.path().stem());
  }
  std::vector<std::string> names;
  for (const DetectorEntry& entry : detector_registry())
    names.emplace_back(entry.name);
  EXPECT_EQ(names, std::vector<std::string>(files.begin(), files.end()));
}

TEST(Registry, EntriesAreWhole) {
  for (const DetectorEntry& entry : detector_registry()) {
    EXPECT_FALSE(entry.title.empty()) << entry.name;
    ASSERT_NE(entry.make, nullptr) << entry.name;
    EXPECT_NE(entry.make(Options(entry.options)), nullptr) << entry.name;
    ASSERT_NE(entry.summarize, nullptr) << entry.name;
    EXPECT_TRUE(entry.summarize(Finding{}).ends_with('.'))
        << entry.name << ": a sentence, also of a finding without occurrences";
  }
}

TEST(Registry, OptionsHaveADefaultWithinTheirBounds) {
  for (const DetectorEntry& entry : detector_registry()) {
    std::set<std::string_view> keys = {"enabled"};  // the loader's own
    for (const OptionSpec& option : entry.options) {
      const std::string where = std::string(entry.name) + "." + std::string(option.key);
      EXPECT_TRUE(keys.insert(option.key).second) << where << " stands there twice";
      EXPECT_LE(option.min, option.fallback) << where;
      EXPECT_LE(option.fallback, option.max) << where;
      EXPECT_LT(option.min, option.max) << where << ": nothing to choose";
      EXPECT_TRUE(option.help.ends_with('.')) << where << ": help is a sentence";
      if (option.type == OptionSpec::Type::kRatio) {
        EXPECT_GE(option.min, 0) << where;
        EXPECT_LE(option.max, 1) << where;
      } else {
        for (const double value : {option.fallback, option.min, option.max})
          EXPECT_EQ(value, std::floor(value)) << where << ": whole units only";
      }
    }
  }
}

TEST(Registry, DetectorsBearTheirOptionsBounds) {
  for (const DetectorEntry& entry : detector_registry()) {
    for (const bool low : {true, false}) {
      Options options(entry.options);
      for (const OptionSpec& option : entry.options)
        EXPECT_TRUE(options.set(option.key, low ? option.min : option.max));
      EXPECT_NE(entry.make(options), nullptr) << entry.name << (low ? ", lowest" : ", highest");
    }
  }
}

TEST(Registry, EveryDetectorsPageExplainsEveryOption) {
  for (const DetectorEntry& entry : detector_registry()) {
    const auto path = kSource / "docs/detectors" / (std::string(entry.name) + ".md");
    const std::string page = text_of(path);
    ASSERT_FALSE(page.empty()) << path;
    for (const OptionSpec& option : entry.options) {
      EXPECT_NE(page.find("| `" + std::string(option.key) + "` |"), std::string::npos)
          << path << " has no row for " << option.key;
    }
  }
}

}  // namespace
}  // namespace ectoscope
