// A certificate for a test: self-signed, of "localhost", good for an hour.
#pragma once

#include <filesystem>
#include <memory>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

namespace ectoscope {

/// Writes cert.pem and key.pem into `folder`.
inline void make_test_certificate(const std::filesystem::path& folder) {
  struct Close {
    void operator()(BIO* file) const { BIO_free(file); }
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(X509* certificate) const { X509_free(certificate); }
  };
  const std::unique_ptr<EVP_PKEY, Close> key(EVP_EC_gen("P-256"));
  const std::unique_ptr<X509, Close> certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME* name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  const auto open = [&folder](const char* file) {
    return std::unique_ptr<BIO, Close>(BIO_new_file((folder / file).c_str(), "w"));
  };
  PEM_write_bio_X509(open("cert.pem").get(), certificate.get());
  PEM_write_bio_PrivateKey(open("key.pem").get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
}

}  // namespace ectoscope
