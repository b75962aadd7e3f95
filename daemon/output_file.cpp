#include "daemon/output_file.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <streambuf>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace ectoscope {
namespace {

std::string reason(int code) {
  return std::system_category().message(code);
}

/// Buffers to a descriptor that it does not own; the first error is kept.
class DescriptorBuffer final : public std::streambuf {
 public:
  explicit DescriptorBuffer(int descriptor) : descriptor_(descriptor) {
    setp(buffer_.data(), buffer_.data() + buffer_.size());
  }

  [[nodiscard]] int error() const { return error_; }

 protected:
  int_type overflow(int_type c) override {
    if (sync() != 0) return traits_type::eof();
    if (!traits_type::eq_int_type(c, traits_type::eof())) sputc(traits_type::to_char_type(c));
    return traits_type::not_eof(c);
  }

  int sync() override {
    const char* at = pbase();
    while (at < pptr()) {
      const ssize_t written = ::write(descriptor_, at, static_cast<size_t>(pptr() - at));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) {
        error_ = errno;
        return -1;
      }
      at += written;
    }
    setp(buffer_.data(), buffer_.data() + buffer_.size());
    return 0;
  }

 private:
  int descriptor_;
  int error_ = 0;
  std::array<char, size_t{64} * 1024> buffer_{};
};

/// 0, or errno.
int write_all(int descriptor, const std::function<void(std::ostream&)>& write) {
  DescriptorBuffer buffer(descriptor);
  std::ostream out(&buffer);
  write(out);
  out.flush();
  if (out.good()) return 0;
  return buffer.error() != 0 ? buffer.error() : EIO;
}

std::optional<Error> cannot_write(const std::string& path, int code) {
  return Error{"cannot write " + path + ": " + reason(code)};
}

std::optional<Error> write_in_place(const std::string& path,
                                    const std::function<void(std::ostream&)>& write) {
  const int descriptor = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (descriptor < 0) return cannot_write(path, errno);
  const int code = write_all(descriptor, write);
  close(descriptor);
  if (code != 0) return cannot_write(path, code);
  return std::nullopt;
}

/// Opens a new file in the same folder, with those of the rights that the umask leaves; mkstemp()
/// would give its own, and the umask can't be read without changing it for all threads.
int create_beside(const std::string& path, mode_t rights, std::string& temporary) {
  constexpr int kMostTries = 100;  // what a killed process left may have the same name
  int descriptor = -1;
  for (int i = 0; i < kMostTries && descriptor < 0; ++i) {
    temporary = path + '.' + std::to_string(getpid()) + '.' + std::to_string(i);
    descriptor = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, rights);
    if (descriptor < 0 && errno != EEXIST) break;
  }
  return descriptor;
}

}  // namespace

std::optional<Error> write_file(const std::string& path,
                                const std::function<void(std::ostream&)>& write) {
  struct stat existing {};
  const bool exists = stat(path.c_str(), &existing) == 0;
  if (exists) {
    if (S_ISDIR(existing.st_mode)) return Error{path + " is a directory; name a file in it"};
    if (!S_ISREG(existing.st_mode)) return write_in_place(path, write);
  }

  std::string temporary;
  constexpr mode_t kPrivate = 0600;  // until it has the rights of the one that it replaces
  constexpr mode_t kShared = 0666;
  const int descriptor = create_beside(path, exists ? kPrivate : kShared, temporary);
  if (descriptor < 0) return cannot_write(path, errno);
  int code = write_all(descriptor, write);
  if (code == 0 && exists && fchmod(descriptor, existing.st_mode & 0777U) != 0) code = errno;
  if (code == 0 && fsync(descriptor) != 0) code = errno;
  if (close(descriptor) != 0 && code == 0) code = errno;
  if (code == 0 && rename(temporary.c_str(), path.c_str()) != 0) code = errno;
  if (code == 0) return std::nullopt;
  unlink(temporary.c_str());
  return cannot_write(path, code);
}

std::optional<Error> write_stdout(const std::function<void(std::ostream&)>& write) {
  const int code = write_all(STDOUT_FILENO, write);
  if (code != 0) return cannot_write("standard output", code);
  return std::nullopt;
}

}  // namespace ectoscope
