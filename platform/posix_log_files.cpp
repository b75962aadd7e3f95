#include "platform/posix_log_files.h"

#include <cerrno>
#include <fcntl.h>
#include <glob.h>
#include <string>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace ectoscope {
namespace {

Error error_of(const std::string& path, int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return {path +
              ": no such file; check the path, and that PostgreSQL logs to it (SHOW "
              "log_directory; SHOW log_filename)"};
    case EACCES:
      return {path +
              ": permission denied; let the user of this process read it (PostgreSQL's logs on "
              "Debian: a member of the group adm; elsewhere log_file_mode = 0640)"};
    case ELOOP:
      return {path + ": a symbolic link that leads to itself"};
    default:
      return {path + ": " + std::generic_category().message(error) + "; check the disk or mount"};
  }
}

FileFacts facts_of(const struct stat& from) {
  constexpr int64_t kSecond = 1'000'000;
  FileFacts facts;
  facts.identity = {static_cast<uint64_t>(from.st_dev), static_cast<uint64_t>(from.st_ino)};
  facts.size = static_cast<uint64_t>(from.st_size);
  facts.modified_us = from.st_mtim.tv_sec * kSecond + from.st_mtim.tv_nsec / 1000;
  facts.regular = S_ISREG(from.st_mode);
  return facts;
}

class PosixLogFile final : public LogFile {
 public:
  PosixLogFile(int descriptor, std::string path)
      : descriptor_(descriptor), path_(std::move(path)) {}
  PosixLogFile(const PosixLogFile&) = delete;
  PosixLogFile& operator=(const PosixLogFile&) = delete;
  ~PosixLogFile() override { ::close(descriptor_); }

  Result<FileFacts> facts() override {
    struct stat now {};
    if (::fstat(descriptor_, &now) != 0) return error_of(path_, errno);
    return facts_of(now);
  }

  Result<size_t> read_at(uint64_t offset, std::span<char> buffer) override {
    for (;;) {
      const ssize_t got =
          ::pread(descriptor_, buffer.data(), buffer.size(), static_cast<off_t>(offset));
      if (got >= 0) return static_cast<size_t>(got);
      if (errno != EINTR) return error_of(path_, errno);
    }
  }

 private:
  int descriptor_;
  std::string path_;
};

/// The error that glob() saw last on this thread: its callback has no room for a context.
// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables)
thread_local std::pair<std::string, int> unreadable;

int remember_unreadable(const char* path, int error) {
  if (error != ENOENT && error != ENOTDIR) unreadable = {path, error};
  return 0;
}

class PosixLogFiles final : public LogFiles {
 public:
  Result<std::vector<std::string>> list(const std::string& pattern) override {
    unreadable = {};
    glob_t found{};
    // NOLINTNEXTLINE(concurrency-mt-unsafe): unsafe is "~" alone, which asks who the user is
    const int status = ::glob(pattern.c_str(), 0, &remember_unreadable, &found);
    std::vector<std::string> paths;
    for (size_t i = 0; status == 0 && i < found.gl_pathc; ++i)
      paths.emplace_back(found.gl_pathv[i]);
    ::globfree(&found);
    if (paths.empty() && unreadable.second != 0)
      return error_of(unreadable.first, unreadable.second);
    return paths;
  }

  Result<FileFacts> facts(const std::string& path) override {
    struct stat now {};
    if (::stat(path.c_str(), &now) != 0) return error_of(path, errno);
    return facts_of(now);
  }

  Result<std::unique_ptr<LogFile>> open(const std::string& path) override {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (descriptor < 0) return error_of(path, errno);
    return std::unique_ptr<LogFile>(std::make_unique<PosixLogFile>(descriptor, path));
  }
};

}  // namespace

std::unique_ptr<LogFiles> make_posix_log_files() {
  return std::make_unique<PosixLogFiles>();
}

}  // namespace ectoscope
