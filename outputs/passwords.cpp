#include "outputs/passwords.h"

#include <algorithm>
#include <crypt.h>
#include <iterator>
#include <memory>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdexcept>
#include <utility>
#include <vector>

namespace ectoscope {
namespace {

constexpr size_t kMostPassword = 72;  // bytes; bcrypt would not look at more

std::optional<std::string> decoded(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return std::nullopt;
  std::vector<unsigned char> out(text.size() / 4 * 3);
  const int length =
      EVP_DecodeBlock(out.data(), reinterpret_cast<const unsigned char*>(text.data()),
                      static_cast<int>(text.size()));
  if (length < 0) return std::nullopt;
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  return std::string(out.begin(), out.begin() + length - static_cast<std::ptrdiff_t>(padding));
}

bool same_scheme(std::string_view header) {
  constexpr std::string_view kScheme = "basic ";
  return header.size() > kScheme.size() &&
         std::equal(kScheme.begin(), kScheme.end(), header.begin(),
                    [](char a, char b) { return (b >= 'A' && b <= 'Z' ? b + 32 : b) == a; });
}

bool bcrypt_fits(const std::string& password, const std::string& hash) {
  const auto space = std::make_unique<crypt_data>();
  const char* made = crypt_r(password.c_str(), hash.c_str(), space.get());
  const std::string_view text = made == nullptr ? "" : made;
  return text.size() == hash.size() && CRYPTO_memcmp(text.data(), hash.data(), hash.size()) == 0;
}

}  // namespace

std::optional<Credentials> read_basic_authorization(std::string_view header) {
  if (!same_scheme(header)) return std::nullopt;
  header.remove_prefix(
      std::min(header.find_first_not_of(' ', std::string_view("basic").size()), header.size()));
  const auto text = decoded(header);
  const size_t colon = text ? text->find(':') : std::string::npos;
  if (colon == std::string::npos) return std::nullopt;
  return Credentials{text->substr(0, colon), text->substr(colon + 1)};
}

Passwords::Passwords() {
  if (RAND_bytes(key_.data(), static_cast<int>(key_.size())) != 1) {
    throw std::runtime_error("no random bytes are to be had");
  }
}

void Passwords::set(std::map<std::string, std::string> users) {
  const std::lock_guard lock(mutex_);
  users_ = std::move(users);
  std::erase_if(known_, [this](const auto& item) { return !users_.contains(item.first); });
}

bool Passwords::asked() const {
  const std::lock_guard lock(mutex_);
  return !users_.empty();
}

Passwords::Mark Passwords::mark_of(const Credentials& given, std::string_view hash) const {
  std::string text = std::to_string(given.user.size()) + ":" + given.user;
  text += std::to_string(hash.size()) + ":" + std::string(hash) + given.password;
  Mark mark{};
  unsigned int size = 0;
  HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), mark.data(), &size);
  OPENSSL_cleanse(text.data(), text.size());
  return mark;
}

bool Passwords::known(const Credentials& given) const {
  const std::lock_guard lock(mutex_);
  const auto user = users_.find(given.user);
  const auto mark = known_.find(given.user);
  if (user == users_.end() || mark == known_.end()) return false;
  return CRYPTO_memcmp(mark_of(given, user->second).data(), mark->second.data(),
                       mark->second.size()) == 0;
}

std::string Passwords::hash_for(const std::string& user, bool& exists) const {
  const std::lock_guard lock(mutex_);
  const auto found = users_.find(user);
  exists = found != users_.end();
  if (exists) return found->second;
  if (users_.empty()) return {};
  const Mark mark = mark_of({user, {}}, {});
  return std::next(users_.begin(),
                   static_cast<std::ptrdiff_t>((mark[0] * 256U + mark[1]) % users_.size()))
      ->second;
}

bool Passwords::check(const Credentials& given) {
  bool exists = false;
  const std::string hash = hash_for(given.user, exists);
  // C strings end at a zero byte: "right\0wrong" must not be "right".
  const bool whole =
      given.password.size() <= kMostPassword && given.password.find('\0') == std::string::npos;
  const bool fits = bcrypt_fits(given.password, hash);
  if (!fits || !exists || !whole) return false;
  const std::lock_guard lock(mutex_);
  const auto user = users_.find(given.user);
  if (user == users_.end() || user->second != hash) return false;  // changed meanwhile
  known_[given.user] = mark_of(given, hash);
  return true;
}

}  // namespace ectoscope
