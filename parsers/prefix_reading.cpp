#include "parsers/prefix_reading.h"

#include <algorithm>
#include <array>
#include <utility>

namespace ectoscope {
namespace {

constexpr std::string_view kSeparators = " ,|;:@()[]<>\"'=/";

constexpr std::pair<std::string_view, char> kKeys[] = {
    {"user", 'u'},        {"usr", 'u'},        {"u", 'u'},        {"db", 'd'},
    {"database", 'd'},    {"dbname", 'd'},     {"d", 'd'},        {"app", 'a'},
    {"application", 'a'}, {"appname", 'a'},    {"a", 'a'},        {"application_name", 'a'},
    {"client", 'r'},      {"host", 'r'},       {"h", 'r'},        {"r", 'r'},
    {"remote", 'r'},      {"rhost", 'r'},      {"ip", 'r'},       {"sess", 'c'},
    {"session", 'c'},     {"session_id", 'c'}, {"sid", 'c'},      {"c", 'c'},
    {"vxid", 'v'},        {"vx", 'v'},         {"v", 'v'},        {"vtx", 'v'},
    {"xid", 'x'},         {"txid", 'x'},       {"x", 'x'},        {"tx", 'x'},
    {"qid", 'Q'},         {"queryid", 'Q'},    {"query_id", 'Q'}, {"q", 'Q'},
    {"Q", 'Q'},           {"line", 'l'},       {"l", 'l'},        {"pid", 'p'},
    {"p", 'p'},           {"process", 'p'},    {"ppid", 'P'},     {"leader", 'P'},
    {"state", 'e'},       {"sqlstate", 'e'},   {"e", 'e'},        {"err", 'e'},
    {"errcode", 'e'},     {"cmd", 'i'},        {"tag", 'i'},      {"ps", 'i'},
    {"command", 'i'},     {"i", 'i'},          {"backend", 'b'},  {"backend_type", 'b'},
    {"type", 'b'},        {"b", 'b'},
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f');
}

template <typename Predicate>
size_t run_length(std::string_view text, Predicate belongs) {
  const auto* const end = std::find_if_not(text.begin(), text.end(), belongs);
  return static_cast<size_t>(end - text.begin());
}

/// A client's address at the front of the text, with its port in brackets where it has one.
size_t host_length(std::string_view text) {
  if (text.starts_with("[local]")) return 7;
  const size_t length = run_length(text, [](char c) { return is_hex(c) || c == '.' || c == ':'; });
  const std::string_view address = text.substr(0, length);
  const bool v4 = std::count(address.begin(), address.end(), '.') == 3;
  size_t end = length;
  if (v4) end = run_length(address, [](char c) { return is_digit(c) || c == '.'; });
  const bool v6 = !v4 && std::count(address.begin(), address.end(), ':') >= 2 &&
                  length < text.size() && text[length] == '(';
  if (!v4 && !v6) return 0;
  if (end < text.size() && text[end] == '(') {
    const size_t digits = run_length(text.substr(end + 1), is_digit);
    if (digits > 0 && text.substr(end + 1 + digits).starts_with(')')) return end + digits + 2;
  }
  return end;
}

size_t session_length(std::string_view text) {
  const size_t start = run_length(text, is_hex);
  if (start < 7 || start > 8 || !text.substr(start).starts_with('.')) return 0;
  const size_t pid = run_length(text.substr(start + 1), is_hex);
  return pid > 0 && pid <= 8 ? start + 1 + pid : 0;
}

size_t word_length(std::string_view text) {
  if (text.starts_with("[unknown]")) return 9;
  return run_length(text, [](char c) { return kSeparators.find(c) == std::string_view::npos; });
}

class Reading {
 public:
  Reading(std::string_view head, StampReader& stamps) : rest_(head), stamps_(stamps) {}

  std::optional<ReadPrefix> run() {
    while (!rest_.empty()) {
      if (!(stamp() || keyed() || line_number() || typed() || number() || name())) literal(1);
    }
    if (!has_stamp_) return std::nullopt;
    return std::move(read_);
  }

 private:
  void literal(size_t length) {
    for (const char c : rest_.substr(0, length)) {
      read_.text += c;
      if (c == '%') read_.text += c;
    }
    rest_.remove_prefix(length);
  }

  bool field(char escape, size_t length) {
    read_.text += '%';
    read_.text += escape;
    ++read_.fields;
    used_[static_cast<unsigned char>(escape)] = true;
    rest_.remove_prefix(length);
    return true;
  }

  [[nodiscard]] bool used(char escape) const { return used_[static_cast<unsigned char>(escape)]; }

  bool stamp() {
    const Stamp stamp = stamps_.read(rest_);
    if (stamp.length != 0) {
      if (std::exchange(has_stamp_, true)) return field('s', stamp.length);
      return field(stamp.coarse ? 't' : 'm', stamp.length);
    }
    if (has_stamp_ || run_length(rest_, is_digit) != 10) return false;
    const Stamp epoch = StampReader::read_epoch(rest_);
    if (epoch.length == 0 || epoch.coarse) return false;
    has_stamp_ = true;
    return field('n', epoch.length);
  }

  bool keyed() {
    const size_t length = run_length(rest_, is_letter);
    if (length == 0 || length == rest_.size()) return false;
    const auto* const known =
        std::find_if(std::begin(kKeys), std::end(kKeys),
                     [&](const auto& key) { return key.first == rest_.substr(0, length); });
    const bool equals = rest_[length] == '=';
    const bool colon = rest_[length] == ':' && known != std::end(kKeys) && known->first.size() > 1;
    if (!equals && !colon) return false;
    literal(length + 1);
    if (colon && rest_.starts_with(' ')) literal(1);
    const char escape = known == std::end(kKeys) ? 'i' : known->second;
    if (known != std::end(kKeys))
      ++read_.keyed;
    else if (stamps_.read(rest_).length != 0)
      return true;  // time=2026-...
    return field(escape, value_length(escape));
  }

  [[nodiscard]] size_t value_length(char escape) const {
    if (escape == 'r')
      if (const size_t host = host_length(rest_); host != 0) return host;
    if (rest_.starts_with("[unknown]")) return 9;
    if (escape != 'a' && escape != 'i' && escape != 'b')
      return std::min(rest_.find_first_of(" ,|;)]>\"'"), rest_.size());
    // These may hold blanks: they end at a separator, or before the next key.
    for (size_t at = 0; at < rest_.size(); ++at) {
      if (std::string_view(",|;)]>").find(rest_[at]) != std::string_view::npos) return at;
      if (rest_[at] != ' ') continue;
      const std::string_view next = rest_.substr(at + 1);
      const size_t key = run_length(next, is_letter);
      if (next.empty() || next[0] == '[' || (key > 0 && key < next.size() && next[key] == '='))
        return at;
    }
    return rest_.ends_with(':') ? rest_.size() - 1 : rest_.size();
  }

  /// [3-1], as in "[%l-1]".
  bool line_number() {
    if (!rest_.starts_with('[')) return false;
    const size_t digits = run_length(rest_.substr(1), is_digit);
    if (digits == 0 || !rest_.substr(1 + digits).starts_with("-")) return false;
    const size_t fixed = run_length(rest_.substr(2 + digits), is_digit);
    if (fixed == 0) return false;
    literal(1);
    field('l', digits);
    literal(1 + fixed);
    return true;
  }

  bool typed() {
    if (const size_t session = session_length(rest_); session != 0) return field('c', session);
    if (const size_t host = host_length(rest_); host != 0 && has_stamp_) return field('r', host);
    const size_t backend = run_length(rest_, is_digit);
    if (backend > 0 && rest_.substr(backend).starts_with('/')) {
      const size_t local = run_length(rest_.substr(backend + 1), is_digit);
      if (local > 0) return field('v', backend + 1 + local);
    }
    const std::string_view word = rest_.substr(0, word_length(rest_));
    const bool state = word.size() == 5 && is_digit(word[0]) && is_digit(word[1]) && has_stamp_ &&
                       (word == "00000" || std::any_of(word.begin(), word.end(), is_letter));
    return state && field('e', word.size());
  }

  bool number() {
    const bool negative = rest_.starts_with('-');
    const size_t digits = run_length(rest_.substr(negative ? 1 : 0), is_digit);
    const size_t length = digits + (negative ? 1 : 0);
    if (digits == 0 || word_length(rest_) != length) return false;
    if (!negative && !used('p')) return field('p', length);
    if (negative || digits > 10) return field('Q', length);
    return field(used('x') ? 'l' : 'x', length);
  }

  bool name() {
    const size_t length = word_length(rest_);
    if (length == 0) return false;
    const std::string_view next = rest_.substr(length);
    if (next.starts_with('@')) {
      const size_t database = word_length(next.substr(1));
      field('u', length);
      literal(1);
      if (database != 0) field('d', database);
      return true;
    }
    // "host1 2026-...", "postgres[123]:"
    if (!has_stamp_ || next.starts_with('[')) {
      literal(length);
      return true;
    }
    for (const char escape : {'u', 'd', 'a'})
      if (!used(escape)) return field(escape, length);
    return field('i', length);
  }

  std::string_view rest_;
  StampReader& stamps_;
  ReadPrefix read_;
  std::array<bool, 256> used_{};
  bool has_stamp_ = false;
};

}  // namespace

std::optional<ReadPrefix> read_prefix(std::string_view head, StampReader& stamps) {
  return Reading(head, stamps).run();
}

}  // namespace ectoscope
