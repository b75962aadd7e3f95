#include "outputs/tls_context.h"

#include <algorithm>
#include <array>
#include <climits>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <utility>

namespace ectoscope {
namespace {

struct Free {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* session) const { SSL_free(session); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

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

/// DNS names, addresses of mail and URIs of a certificate.
std::vector<std::string> alternative_names(X509* certificate) {
  std::vector<std::string> found;
  const std::unique_ptr<GENERAL_NAMES, Free> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  if (!names) return found;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    int type = 0;
    const void* value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &type);
    if (type != GEN_DNS && type != GEN_EMAIL && type != GEN_URI) continue;
    const auto* text = static_cast<const ASN1_STRING*>(value);
    found.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                       static_cast<size_t>(ASN1_STRING_length(text)));
  }
  return found;
}

}  // namespace

struct TlsContext::Held {
  std::unique_ptr<SSL_CTX, Free> context;
  std::vector<std::string> allowed_sans;
};

TlsContext::TlsContext(std::unique_ptr<Held> held) : held_(std::move(held)) {}
TlsContext::~TlsContext() = default;

Result<std::shared_ptr<TlsContext>> TlsContext::make(const TlsSettings& settings) {
  ERR_clear_error();
  std::unique_ptr<SSL_CTX, Free> context(SSL_CTX_new(TLS_server_method()));
  if (!context) return Error{"TLS: " + openssl_error()};
  SSL_CTX_set_min_proto_version(context.get(), version_number(settings.min_version));
  SSL_CTX_set_max_proto_version(context.get(), version_number(settings.max_version));
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  if (SSL_CTX_use_certificate_chain_file(context.get(), settings.cert_file.c_str()) != 1) {
    return Error{"cert_file " + settings.cert_file + ": " + openssl_error()};
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), settings.key_file.c_str(), SSL_FILETYPE_PEM) !=
      1) {
    return Error{"key_file " + settings.key_file + ": " + openssl_error()};
  }
  if (SSL_CTX_check_private_key(context.get()) != 1) {
    return Error{"key_file " + settings.key_file + " does not belong to cert_file " +
                 settings.cert_file};
  }
  if (!settings.client_ca_file.empty()) {
    const char* file = settings.client_ca_file.c_str();
    if (SSL_CTX_load_verify_locations(context.get(), file, nullptr) != 1) {
      return Error{"client_ca_file " + settings.client_ca_file + ": " + openssl_error()};
    }
    SSL_CTX_set_client_CA_list(context.get(), SSL_load_client_CA_file(file));
  }
  ask_for_certificate(context.get(), settings.client_auth);
  auto held = std::make_unique<Held>();
  held->context = std::move(context);
  held->allowed_sans = settings.client_allowed_sans;
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
