#include "findings/identity.h"

#include <array>
#include <cstdlib>
#include <openssl/evp.h>

#include "findings/hex.h"

namespace ectoscope {

std::string finding_id(const Identity& identity) {
  std::string text;
  for (const std::string_view field :
       {identity.kind, identity.server, identity.database, identity.child}) {
    text.append(field).push_back('\0');
  }
  text.append(identity.parent.empty() ? "-" : identity.parent);

  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  // It can only fail when OpenSSL has no SHA-256 at all, and then no id can be trusted.
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) {
    std::abort();
  }
  constexpr std::string_view kHex = "0123456789abcdef";
  constexpr size_t kBytes = 8;
  std::string id(identity.kind);
  id.push_back('-');
  for (size_t i = 0; i < kBytes; ++i) {
    id.push_back(kHex[digest[i] >> 4U]);
    id.push_back(kHex[digest[i] & 0xFU]);
  }
  return id;
}

QueryFacts query_facts(const Query& query) {
  return {hex16(query.fingerprint), std::nullopt, query.text, query.summary};
}

}  // namespace ectoscope
