#include "daemon/web_config_file.h"

#include <sys/stat.h>
#include <utility>

#include "config/consequence.h"
#include "config/web_config.h"
#include "daemon/read_file.h"

namespace ectoscope {

Result<WebProtection> load_web_config(Files& files, const std::string& path) {
  constexpr size_t kMostBytes = size_t{1} << 20U;  // the parser refuses what is longer
  const auto text = read_whole_file(files, path, kMostBytes);
  if (!text.ok()) return text.error();
  WebProtection loaded;
  auto access = parse_web_config(text.value(), path, [&loaded](const TlsSettings& settings) {
    std::vector<KeyProblem> problems;
    loaded.tls = TlsContext::make(settings, problems);
    return problems;
  });
  if (!access.ok()) return access.error();
  loaded.access = std::move(access.value());
  return loaded;
}

std::optional<std::string> certificate_doubt(const WebProtection& protection, EventTime now) {
  if (!protection.tls) return std::nullopt;
  const TlsContext::Validity validity = protection.tls->validity();
  if (now > validity.until) {
    return "the certificate expired at " + format_rfc3339(validity.until) +
           ": clients that verify it refuse the connection; renew it";
  }
  if (now < validity.from) {
    return "the certificate is not valid before " + format_rfc3339(validity.from) +
           ": clients that verify it refuse the connection";
  }
  return std::nullopt;
}

std::optional<Error> WebConfigFile::load() {
  if (path_.empty()) return std::nullopt;
  auto loaded = load_web_config(files_, path_);
  if (!loaded.ok()) return loaded.error();
  protection_ = std::move(loaded.value());
  seen_ = stamps();
  return std::nullopt;
}

bool WebConfigFile::refresh() {
  if (path_.empty()) return false;
  // Looked at before reading: what changes meanwhile is read once more.
  std::vector<Stamp> now = stamps();
  if (now == seen_) return false;
  auto loaded = load_web_config(files_, path_);
  const std::string before = std::exchange(problem_, {});
  if (!loaded.ok()) {
    problem_ = with_consequence(loaded.error().message, kRunningStays);
  } else if ((loaded.value().tls == nullptr) != (protection_.tls == nullptr)) {
    problem_ =
        path_ + ": tls_server_config: TLS is turned on or off at a start only; restart ectoscope";
  } else {
    protection_ = std::move(loaded.value());
    now = stamps();  // of the files that it names now
  }
  seen_ = std::move(now);
  return problem_.empty() || problem_ != before;
}

WebConfigFile::Stamp WebConfigFile::stamp_of(const std::string& path) {
  struct stat found {};
  if (path.empty() || ::stat(path.c_str(), &found) != 0) return {};
  return {found.st_dev, found.st_ino, found.st_size,
          int64_t{found.st_ctim.tv_sec} * 1'000'000'000 + found.st_ctim.tv_nsec};
}

std::vector<WebConfigFile::Stamp> WebConfigFile::stamps() const {
  const TlsSettings& tls = protection_.access.tls;
  std::vector<Stamp> all;
  for (const std::string& path : {path_, tls.cert_file, tls.key_file, tls.client_ca_file})
    all.push_back(stamp_of(path));
  return all;
}

}  // namespace ectoscope
