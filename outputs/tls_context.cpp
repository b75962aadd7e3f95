#include "outputs/tls_context.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <system_error>
#include <utility>

namespace ectoscope {
namespace {

struct Free {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* session) const { SSL_free(session); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Certificate = std::unique_ptr<X509, Free>;
using Bytes = std::unique_ptr<BIO, Free>;

std::string openssl_error() {
  std::array<char, 256> text{};
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  if (code == 0) return "unknown error";
  ERR_error_string_n(code, text.data(), text.size());
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : text.data();
}

int version_number(TlsSettings::Version version) {
  switch (version) {
    case TlsSettings::Version::k10:
      return TLS1_VERSION;
    case TlsSettings::Version::k11:
      return TLS1_1_VERSION;
    case TlsSettings::Version::k12:
      return TLS1_2_VERSION;
    case TlsSettings::Version::k13:
      break;
  }
  return TLS1_3_VERSION;
}

int accept_any(int /*verified*/, X509_STORE_CTX* /*context*/) {
  return 1;
}

void ask_for_certificate(SSL_CTX* context, TlsSettings::ClientAuth auth) {
  switch (auth) {
    case TlsSettings::ClientAuth::kNone:
      SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
      return;
    case TlsSettings::ClientAuth::kRequest:
      SSL_CTX_set_verify(context, SSL_VERIFY_PEER, accept_any);
      return;
    case TlsSettings::ClientAuth::kRequireAny:
      SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, accept_any);
      return;
    case TlsSettings::ClientAuth::kVerifyIfGiven:
      SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
      return;
    case TlsSettings::ClientAuth::kRequireVerified:
      SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
      return;
  }
}

std::string address_text(const ASN1_STRING* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = ASN1_STRING_length(address) == 4 ? AF_INET : AF_INET6;
  const bool known = family == AF_INET || ASN1_STRING_length(address) == 16;
  if (!known ||
      inet_ntop(family, ASN1_STRING_get0_data(address), text.data(), text.size()) == nullptr)
    return {};
  return text.data();
}

/// DNS names, addresses of mail and machines, and URIs of a certificate.
std::vector<std::string> alternative_names(X509* certificate) {
  std::vector<std::string> found;
  const std::unique_ptr<GENERAL_NAMES, Free> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  if (!names) return found;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    int type = 0;
    const void* value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &type);
    const auto* text = static_cast<const ASN1_STRING*>(value);
    if (type == GEN_IPADD) found.push_back(address_text(text));
    if (type != GEN_DNS && type != GEN_EMAIL && type != GEN_URI) continue;
    found.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                       static_cast<size_t>(ASN1_STRING_length(text)));
  }
  return found;
}

}  // namespace

struct TlsContext::Held {
  std::unique_ptr<SSL_CTX, Free> context;
  std::vector<std::string> allowed_sans;
  Validity validity;
};

namespace {

/// A key with a passphrase can't be read: nobody is there to be asked.
int no_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*data*/) {
  return -1;
}

EventTime time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return EventTime(std::chrono::seconds(timegm(&parts)));
}

/// Puts settings into a context, and remembers what is wrong with them.
class ContextMaker {
 public:
  ContextMaker(const TlsSettings& settings, SSL_CTX* context, std::vector<KeyProblem>& problems)
      : settings_(settings), context_(context), problems_(problems) {}

  void make() {
    versions();
    certificate();
    key();
    clients();
    ciphers();
    curves();
  }

  [[nodiscard]] const TlsContext::Validity& validity() const { return validity_; }

 private:
  void wrong(std::string key, std::string what) {
    problems_.push_back({std::move(key), std::move(what)});
  }

  /// What is given as itself or as a file; null, and told, when that can't be read.
  Bytes bytes(const std::string& key, const std::string& text, const std::string& file) {
    if (!text.empty()) return Bytes(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
    if (file.empty()) return nullptr;
    errno = 0;
    Bytes opened(BIO_new_file(file.c_str(), "r"));
    if (!opened)
      wrong(key + "_file", file + ": " + std::error_code(errno, std::system_category()).message());
    ERR_clear_error();
    return opened;
  }

  void unusable(const std::string& key, bool inline_text, const std::string& file,
                const std::string& wanted) {
    const std::string reason = openssl_error();
    wrong(inline_text ? key : key + "_file",
          (inline_text ? "" : file + ": ") + wanted + " is wanted here: " + reason);
  }

  void versions() {
    SSL_CTX_set_min_proto_version(context_, version_number(settings_.min_version));
    SSL_CTX_set_max_proto_version(context_, version_number(settings_.max_version));
    // Older ones need signatures that are not taken otherwise.
    if (settings_.min_version < TlsSettings::Version::k12) SSL_CTX_set_security_level(context_, 0);
    SSL_CTX_set_mode(context_, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                   SSL_MODE_RELEASE_BUFFERS);
    // Each session is a new one: what was allowed once may not be any more.
    SSL_CTX_set_options(context_, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context_, 0);
    if (settings_.prefer_server_cipher_suites)
      SSL_CTX_set_options(context_, SSL_OP_CIPHER_SERVER_PREFERENCE);
  }

  void certificate() {
    if (settings_.cert.empty() && settings_.cert_file.empty()) {
      return wrong("cert_file", "our own certificate is missing");
    }
    const Bytes pem = bytes("cert", settings_.cert, settings_.cert_file);
    if (!pem) return;
    const Certificate own(PEM_read_bio_X509_AUX(pem.get(), nullptr, &no_passphrase, nullptr));
    if (!own || SSL_CTX_use_certificate(context_, own.get()) != 1) {
      return unusable("cert", !settings_.cert.empty(), settings_.cert_file, "a certificate in PEM");
    }
    validity_ = {time_of(X509_get0_notBefore(own.get())), time_of(X509_get0_notAfter(own.get()))};
    while (X509* next = PEM_read_bio_X509(pem.get(), nullptr, &no_passphrase, nullptr))
      SSL_CTX_add0_chain_cert(context_, next);
    ERR_clear_error();
  }

  void key() {
    if (settings_.key.empty() && settings_.key_file.empty()) {
      return wrong("key_file", "our own certificate's key is missing");
    }
    const Bytes pem = bytes("key", settings_.key, settings_.key_file);
    if (!pem) return;
    const std::unique_ptr<EVP_PKEY, Free> key(
        PEM_read_bio_PrivateKey(pem.get(), nullptr, &no_passphrase, nullptr));
    if (!key) {
      return unusable("key", !settings_.key.empty(), settings_.key_file,
                      "a private key in PEM, without a passphrase,");
    }
    if (SSL_CTX_get0_certificate(context_) == nullptr) return;
    if (SSL_CTX_use_PrivateKey(context_, key.get()) != 1) {
      ERR_clear_error();
      wrong(settings_.key.empty() ? "key_file" : "key",
            (settings_.key.empty() ? settings_.key_file + ": " : std::string()) +
                "this key does not belong to the certificate");
    }
  }

  void clients() {
    ask_for_certificate(context_, settings_.client_auth);
    if (settings_.client_ca.empty() && settings_.client_ca_file.empty()) {
      SSL_CTX_set_default_verify_paths(context_);  // as Go does: what the machine trusts
      return;
    }
    const Bytes pem = bytes("client_ca", settings_.client_ca, settings_.client_ca_file);
    if (!pem) return;
    size_t count = 0;
    while (X509* next = PEM_read_bio_X509(pem.get(), nullptr, &no_passphrase, nullptr)) {
      const Certificate held(next);
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context_), next);
      SSL_CTX_add_client_CA(context_, next);
      ++count;
    }
    if (count == 0) {
      return unusable("client_ca", !settings_.client_ca.empty(), settings_.client_ca_file,
                      "a certificate in PEM");
    }
    ERR_clear_error();
  }

  void ciphers() {
    if (settings_.cipher_suites.empty()) return;
    std::string list;
    for (const std::string& suite : settings_.cipher_suites) {
      const std::string_view name = OPENSSL_cipher_name(suite.c_str());
      // Those of TLS 1.3 are always on, as in Go.
      if (name.starts_with("TLS_") || name == "(NONE)") continue;
      list += (list.empty() ? "" : ":") + std::string(name);
    }
    if (!list.empty()) {
      if (settings_.min_version < TlsSettings::Version::k12) list += ":@SECLEVEL=0";
      if (SSL_CTX_set_cipher_list(context_, list.c_str()) != 1)
        wrong("cipher_suites", openssl_error());
    } else if (settings_.max_version == TlsSettings::Version::k13) {
      SSL_CTX_set_min_proto_version(context_, TLS1_3_VERSION);
    } else {
      wrong("cipher_suites", "none of these is for max_version");
    }
  }

  void curves() {
    if (settings_.curve_preferences.empty()) return;
    std::string list;
    for (const std::string& curve : settings_.curve_preferences) {
      const std::string name = curve.starts_with("CurveP")
                                   ? "P-" + curve.substr(std::string_view("CurveP").size())
                                   : curve;
      list += (list.empty() ? "" : ":") + name;
    }
    if (SSL_CTX_set1_groups_list(context_, list.c_str()) != 1)
      wrong("curve_preferences", openssl_error());
  }

  const TlsSettings& settings_;
  SSL_CTX* context_;
  std::vector<KeyProblem>& problems_;
  TlsContext::Validity validity_;
};

}  // namespace

TlsContext::TlsContext(std::unique_ptr<Held> held) : held_(std::move(held)) {}
TlsContext::~TlsContext() = default;

TlsContext::Validity TlsContext::validity() const {
  return held_->validity;
}

std::shared_ptr<TlsContext> TlsContext::make(const TlsSettings& settings,
                                             std::vector<KeyProblem>& problems) {
  ERR_clear_error();
  auto held = std::make_unique<Held>();
  held->context.reset(SSL_CTX_new(TLS_server_method()));
  if (!held->context) {
    problems.push_back({"cert_file", openssl_error()});
    return nullptr;
  }
  const size_t before = problems.size();
  ContextMaker maker(settings, held->context.get(), problems);
  maker.make();
  if (problems.size() > before) return nullptr;
  held->allowed_sans = settings.client_allowed_sans;
  held->validity = maker.validity();
  return std::shared_ptr<TlsContext>(new TlsContext(std::move(held)));
}

class TlsChannel : public Channel {
 public:
  TlsChannel(UniqueFd socket, std::shared_ptr<TlsContext> context)
      : socket_(std::move(socket)),
        context_(std::move(context)),
        session_(SSL_new(context_->held_->context.get())) {
    if (session_) SSL_set_fd(session_.get(), socket_.get());
  }

  [[nodiscard]] int fd() const override { return socket_.get(); }

  State greet() override {
    if (!session_) return State::kClosed;
    ERR_clear_error();
    const int done = SSL_accept(session_.get());
    if (done == 1) return welcome_name() ? State::kDone : State::kClosed;
    if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_HTTP_REQUEST) {
      ERR_clear_error();
      return State::kPlainOnTls;
    }
    return state_of(done);
  }

  Moved read(char* buffer, size_t size) override {
    ERR_clear_error();
    size_t got = 0;
    const int done = SSL_read_ex(session_.get(), buffer, size, &got);
    return done == 1 ? Moved{State::kDone, got} : Moved{state_of(done), 0};
  }

  Moved write(std::string_view bytes) override {
    ERR_clear_error();
    size_t put = 0;
    const int done = SSL_write_ex(session_.get(), bytes.data(), bytes.size(), &put);
    return done == 1 ? Moved{State::kDone, put} : Moved{state_of(done), 0};
  }

  void finish() override {
    ERR_clear_error();
    SSL_shutdown(session_.get());
  }

 private:
  State state_of(int done) {
    const int error = SSL_get_error(session_.get(), done);
    ERR_clear_error();
    if (error == SSL_ERROR_WANT_READ) return State::kWantRead;
    if (error == SSL_ERROR_WANT_WRITE) return State::kWantWrite;
    return State::kClosed;
  }

  [[nodiscard]] bool welcome_name() const {
    const std::vector<std::string>& allowed = context_->held_->allowed_sans;
    if (allowed.empty()) return true;
    const std::unique_ptr<X509, Free> certificate(SSL_get1_peer_certificate(session_.get()));
    if (!certificate) return false;
    const std::vector<std::string> names = alternative_names(certificate.get());
    return std::any_of(names.begin(), names.end(), [&allowed](const std::string& name) {
      return std::find(allowed.begin(), allowed.end(), name) != allowed.end();
    });
  }

  UniqueFd socket_;
  std::shared_ptr<TlsContext> context_;
  std::unique_ptr<SSL, Free> session_;
};

std::unique_ptr<Channel> tls_channel(UniqueFd socket, std::shared_ptr<TlsContext> context) {
  return std::make_unique<TlsChannel>(std::move(socket), std::move(context));
}

}  // namespace ectoscope
