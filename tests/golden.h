// Compares with a file in tests/data; UPDATE_GOLDEN=1 in the environment writes it instead.
#pragma once

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

namespace ectoscope {

inline std::string read_text(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

inline void expect_golden(const std::string& name, const std::string& actual) {
  const std::string path = std::string(SOURCE_DIR) + "/tests/data/" + name;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): tests have one thread
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << actual;
    return;
  }
  EXPECT_EQ(read_text(path), actual) << path << " (UPDATE_GOLDEN=1 writes it anew)";
}

}  // namespace ectoscope
