#include "daemon/recordings.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace ectoscope {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> logs_in(const fs::path& folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() == ".zst") files.push_back(it->path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

Result<std::vector<std::string>> find_recordings() {
  std::vector<fs::path> folders;
  std::error_code error;
  const fs::path binary = fs::read_symlink("/proc/self/exe", error);
  if (!error) {
    const fs::path bin = binary.parent_path();
    folders.push_back(bin.parent_path() / "share/ectoscope/recordings");
    // build/PRESET/bin is three below the source tree.
    folders.push_back(bin.parent_path().parent_path().parent_path() / "data/recordings");
  }
  folders.emplace_back("/usr/share/ectoscope/recordings");
  std::string looked;
  for (const fs::path& folder : folders) {
    if (auto files = logs_in(folder); !files.empty()) return files;
    looked += "\n  " + folder.string();
  }
  return Error{"the recorded traffic is not installed; looked in" + looked};
}

}  // namespace ectoscope
