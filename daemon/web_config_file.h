// The web configuration file and the certificates that it names, read again when they change.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/files.h"
#include "core/result.h"
#include "core/time.h"
#include "core/web_access.h"
#include "outputs/tls_context.h"

namespace ectoscope {

struct WebProtection {
  WebAccess access;
  std::shared_ptr<TlsContext> tls;  // null: plain HTTP
};

/// The error is parse_web_config()'s.
Result<WebProtection> load_web_config(Files& files, const std::string& path);

/// What is wrong with our certificate at `now`: it has expired or is not valid yet.
std::optional<std::string> certificate_doubt(const WebProtection& protection, EventTime now);

/// Threads: one at a time.  `files` must outlive it.
class WebConfigFile {
 public:
  /// An empty path: there is none, and all is plain.
  WebConfigFile(Files& files, std::string path) : files_(files), path_(std::move(path)) {}

  /// The first time.
  std::optional<Error> load();

  /// Reads again what changed since.  True when protection() or problem() is another now; after a
  /// problem the protection is as before.
  bool refresh();

  [[nodiscard]] const WebProtection& protection() const { return protection_; }
  /// Why the file as it is now is not used; empty when it is.
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  /// Tells a file's contents from what they were.
  struct Stamp {
    uint64_t device = 0;
    uint64_t inode = 0;
    int64_t size = -1;
    int64_t changed_ns = 0;

    bool operator==(const Stamp&) const = default;
  };

  static Stamp stamp_of(const std::string& path);
  [[nodiscard]] std::vector<Stamp> stamps() const;

  Files& files_;
  std::string path_;
  WebProtection protection_;
  std::string problem_;
  std::vector<Stamp> seen_;
};

}  // namespace ectoscope
