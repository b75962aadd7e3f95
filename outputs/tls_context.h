// TLS for the HTTP side: certificates read once, then given to each connection.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "outputs/channel.h"

namespace ectoscope {

/// As exporter-toolkit's tls_server_config has it.
struct TlsSettings {
  /// NoClientCert, RequestClientCert, RequireAnyClientCert, VerifyClientCertIfGiven,
  /// RequireAndVerifyClientCert
  enum class ClientAuth : uint8_t {
    kNone,
    kRequest,
    kRequireAny,
    kVerifyIfGiven,
    kRequireVerified
  };
  enum class Version : uint8_t { k10, k11, k12, k13 };

  std::string cert_file;
  std::string key_file;
  ClientAuth client_auth = ClientAuth::kNone;
  std::string client_ca_file;
  std::vector<std::string> client_allowed_sans;  // any of them will do; empty: no matter
  Version min_version = Version::k12;
  Version max_version = Version::k13;

  bool operator==(const TlsSettings&) const = default;
};

/// Never changes once made.  Threads: any.
class TlsContext {
 public:
  /// Reads the files now.  The error names the file and says what is wrong with it.
  static Result<std::shared_ptr<TlsContext>> make(const TlsSettings& settings);

  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;
  ~TlsContext();

 private:
  friend class TlsChannel;
  struct Held;

  explicit TlsContext(std::unique_ptr<Held> held);

  std::unique_ptr<Held> held_;
};

/// The server's end of a connection.  Keeps `context` alive.
std::unique_ptr<Channel> tls_channel(UniqueFd socket, std::shared_ptr<TlsContext> context);

}  // namespace ectoscope
