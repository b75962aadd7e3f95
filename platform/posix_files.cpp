#include "platform/posix_files.h"

#include <cerrno>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace ectoscope {
namespace {

std::string reason(int error) {
  return std::generic_category().message(error);
}

class PosixFile final : public InputFile {
 public:
  PosixFile(int descriptor, bool owned, uint64_t size, std::string path)
      : descriptor_(descriptor), owned_(owned), size_(size), path_(std::move(path)) {}
  PosixFile(const PosixFile&) = delete;
  PosixFile& operator=(const PosixFile&) = delete;
  ~PosixFile() override {
    if (owned_) ::close(descriptor_);
  }

  Result<size_t> read(std::span<char> buffer) override {
    for (;;) {
      const ssize_t got = ::read(descriptor_, buffer.data(), buffer.size());
      if (got >= 0) return static_cast<size_t>(got);
      if (errno != EINTR)
        return Error{path_ + ": reading failed: " + reason(errno) +
                     "; check the disk or the mount"};
    }
  }

  [[nodiscard]] uint64_t size() const override { return size_; }

 private:
  int descriptor_;
  bool owned_;
  uint64_t size_;
  std::string path_;
};

Error open_error(const std::string& path, int error) {
  switch (error) {
    case ENOENT:
      return {path + ": no such file; check the name and the working directory"};
    case EACCES:
      return {path +
              ": permission denied; run as a user who may read it (PostgreSQL's logs on Debian: "
              "a member of the group adm)"};
    default:
      return {path + ": cannot be opened: " + reason(error)};
  }
}

Error directory_error(const std::string& path) {
  return {path + ": is a directory; name the files in it, as in " + path +
          (path.ends_with('/') ? "*.log" : "/*.log")};
}

class PosixFiles final : public Files {
 public:
  Result<std::unique_ptr<InputFile>> open(const std::string& path) override {
    const bool standard_input = path == "-";
    const int descriptor =
        standard_input ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return open_error(path, errno);
    const std::string name = standard_input ? "standard input" : path;
    struct stat facts {};
    const bool known = ::fstat(descriptor, &facts) == 0;
    const int error = errno;
    auto file = std::make_unique<PosixFile>(
        descriptor, !standard_input,
        known && S_ISREG(facts.st_mode) ? static_cast<uint64_t>(facts.st_size) : 0, name);
    if (!known) return open_error(name, error);
    if (S_ISDIR(facts.st_mode)) return directory_error(name);
    return std::unique_ptr<InputFile>(std::move(file));
  }
};

}  // namespace

std::unique_ptr<Files> make_posix_files() {
  return std::make_unique<PosixFiles>();
}

}  // namespace ectoscope
