// Who may reach the HTTP side, and how: what a web configuration file says.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace ectoscope {

/// As exporter-toolkit's tls_server_config has it.  Of cert and cert_file, key and key_file,
/// client_ca and client_ca_file one is given at most; the first of each pair is PEM itself.
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

  std::string cert;
  std::string cert_file;
  std::string key;
  std::string key_file;
  ClientAuth client_auth = ClientAuth::kNone;
  std::string client_ca;
  std::string client_ca_file;
  std::vector<std::string> client_allowed_sans;  // any of them will do; empty: no matter
  Version min_version = Version::k12;
  Version max_version = Version::k13;
  std::vector<std::string> cipher_suites;  // "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"; empty: usual
  bool prefer_server_cipher_suites = true;
  std::vector<std::string> curve_preferences;  // "X25519", "CurveP256"; empty: the usual ones

  /// Whether TLS is wanted at all.
  [[nodiscard]] bool enabled() const {
    return !cert.empty() || !cert_file.empty() || !key.empty() || !key_file.empty() ||
           !client_ca.empty() || !client_ca_file.empty() || client_auth != ClientAuth::kNone;
  }

  bool operator==(const TlsSettings&) const = default;
};

/// Requests of all clients together.
struct RequestRate {
  std::chrono::nanoseconds interval{0};  // between two; 0: no limit
  uint64_t burst = 0;                    // that may come at once
};

struct WebAccess {
  TlsSettings tls;
  std::map<std::string, std::string> headers;  // of every answer, in place of ours
  std::map<std::string, std::string> users;    // bcrypt hash by name; empty: no password is asked
  RequestRate rate;
};

/// What is wrong with a setting, by its key.
struct KeyProblem {
  std::string key;
  std::string what;
};

}  // namespace ectoscope
