// Small numbers for what comments say again and again: the route, and the line of code.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace ectoscope {

/// Where in the application a statement came from, by its comment.  Each may be empty: not told.
struct Whence {
  std::string route;  // "UserController.index", "/users/:id", "Shop.Mailer"
  std::string tag;    // the comment's key that named the route: "controller", "job", ...
  std::string place;  // "lib/shop/users.ex:12"; without the line where only the file is known
};

/// Gives each distinct Whence a number, up to a bound; what comes after the bound is counted in
/// overflowed(), and is number 0 (all empty) or, where that is known, the same route without its
/// place.
///
/// Threads: one at a time.  References stay valid while the Routes lives.
class Routes {
 public:
  explicit Routes(size_t capacity) : capacity_(capacity) { all_.push_back(&nowhere_); }
  Routes(const Routes&) = delete;
  Routes& operator=(const Routes&) = delete;

  uint32_t intern(std::string_view route, std::string_view tag, std::string_view place) {
    if (route.empty() && place.empty()) return 0;
    if (const auto found = numbers_.find(std::tie(route, tag, place)); found != numbers_.end())
      return found->second;
    if (all_.size() >= capacity_) {
      ++overflowed_;
      const auto plain = numbers_.find(std::tuple(route, tag, std::string_view()));
      return plain == numbers_.end() ? 0 : plain->second;
    }
    const auto number = static_cast<uint32_t>(all_.size());
    const auto [added, fresh] =
        numbers_.emplace(Whence{std::string(route), std::string(tag), std::string(place)}, number);
    all_.push_back(&added->first);
    return number;
  }

  /// The route's name.
  const std::string& operator[](uint32_t number) const { return all_[number]->route; }
  [[nodiscard]] const Whence& whence(uint32_t number) const { return *all_[number]; }
  [[nodiscard]] size_t size() const { return all_.size(); }
  [[nodiscard]] uint64_t overflowed() const { return overflowed_; }

 private:
  using View = std::tuple<std::string_view, std::string_view, std::string_view>;
  struct Less {
    using is_transparent = void;  // NOLINT(readability-identifier-naming): the library's name
    static View view(const Whence& it) { return {it.route, it.tag, it.place}; }
    static View view(const View& it) { return it; }
    template <typename Left, typename Right>
    bool operator()(const Left& left, const Right& right) const {
      return view(left) < view(right);
    }
  };

  Whence nowhere_;
  std::map<Whence, uint32_t, Less> numbers_;
  std::vector<const Whence*> all_;
  size_t capacity_;
  uint64_t overflowed_ = 0;
};

}  // namespace ectoscope
