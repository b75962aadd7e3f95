#include "daemon/read_file.h"

#include <span>

namespace ectoscope {

Result<std::string> read_whole_file(Files& files, const std::string& path, size_t max) {
  auto file = files.open(path);
  if (!file.ok()) return file.error();
  std::string text(max + 1, '\0');
  size_t used = 0;
  while (used < text.size()) {
    const auto got = file.value()->read(std::span(text).subspan(used));
    if (!got.ok()) return got.error();
    if (got.value() == 0) break;
    used += got.value();
  }
  text.resize(used);
  return text;
}

}  // namespace ectoscope
