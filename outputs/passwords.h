// Names and passwords against their bcrypt hashes, and the memory of those that were right.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace ectoscope {

struct Credentials {
  std::string user;
  std::string password;
};

/// "Basic dXNlcjpwYXNz"; nothing when it is anything else.
std::optional<Credentials> read_basic_authorization(std::string_view header);

/// Threads: any.
class Passwords {
 public:
  Passwords();

  /// Bcrypt hashes by name.
  void set(std::map<std::string, std::string> users);

  /// False: nobody is asked for a password.
  [[nodiscard]] bool asked() const;

  /// Whether these were found right before, for the hash that the user has now.  Costs
  /// microseconds.
  [[nodiscard]] bool known(const Credentials& given) const;

  /// Computes bcrypt, which takes a tenth of a second and longer; for names that are not there too,
  /// so that time does not tell them apart.  What is right is known from then on.
  bool check(const Credentials& given);

 private:
  using Mark = std::array<unsigned char, 32>;

  [[nodiscard]] Mark mark_of(const Credentials& given, std::string_view hash) const;
  /// The user's, or for a name that is not there that of another, always the same.
  [[nodiscard]] std::string hash_for(const std::string& user, bool& exists) const;

  std::array<unsigned char, 32> key_{};  // drawn once: marks mean nothing elsewhere
  mutable std::mutex mutex_;             // of what follows
  std::map<std::string, std::string> users_;
  std::map<std::string, Mark> known_;  // one a user at most
};

}  // namespace ectoscope
