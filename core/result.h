// A value, or the reason why there is none.
#pragma once

#include <string>
#include <utility>
#include <variant>

namespace ectoscope {

/// A failure as a person should read it: what happened, and what to do about it.
struct Error {
  std::string message;
};

/// Either a T or an Error.  Ask ok() before value() or error(); asking the wrong one is a bug
/// and throws std::bad_variant_access.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : held_(std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : held_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool ok() const { return std::holds_alternative<T>(held_); }
  [[nodiscard]] const T& value() const& { return std::get<T>(held_); }
  [[nodiscard]] T& value() & { return std::get<T>(held_); }
  [[nodiscard]] T&& value() && { return std::get<T>(std::move(held_)); }
  [[nodiscard]] const Error& error() const { return std::get<Error>(held_); }

 private:
  std::variant<T, Error> held_;
};

}  // namespace ectoscope
