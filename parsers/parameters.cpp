#include "parsers/parameters.h"

#include <algorithm>
#include <charconv>

namespace ectoscope {
namespace {

constexpr uint64_t kNullHash = 0x6e756c6c;  // tells NULL from the text 'NULL'

/// The integer that all of `text` is.
bool read_integer(std::string_view text, int64_t& integer) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, integer);
  return error == std::errc() && stop == end && !text.empty();
}

/// The one element of an array's text, "{5}"; empty when it has none or several.
std::string_view only_element(std::string_view text) {
  if (text.size() < 3 || text.front() != '{' || text.back() != '}') return {};
  text = text.substr(1, text.size() - 2);
  // A comma in a quoted element makes a list of one look longer, which is the safe side.
  return text.find_first_of(",{}") == std::string_view::npos ? text : std::string_view{};
}

void set_key(const Query& query, std::string_view text, Execution& execution) {
  if (query.key_form == KeyForm::kList) {
    text = only_element(text);
    if (text.empty()) return;
    execution.flags |= Execution::kOneElement;
  }
  if (read_integer(text, execution.key)) execution.flags |= Execution::kKeyIsInteger;
}

}  // namespace

ParameterReader::ParameterReader(std::string_view detail) {
  constexpr size_t kLongestWord = 64;
  const size_t start = detail.substr(0, kLongestWord).find("$1 = ");
  if (start != std::string_view::npos) rest_ = detail.substr(start);
}

bool ParameterReader::take_slot(uint16_t& slot) {
  if (!rest_.starts_with('$')) return false;
  const char* end = rest_.data() + rest_.size();
  const auto [stop, error] = std::from_chars(rest_.data() + 1, end, slot);
  if (error != std::errc()) return false;
  rest_.remove_prefix(static_cast<size_t>(stop - rest_.data()));
  if (!rest_.starts_with(" = ")) return false;
  rest_.remove_prefix(3);
  return true;
}

bool ParameterReader::take_quoted(ParameterValue& value) {
  unescaped_.clear();
  size_t from = 1;
  for (;;) {
    const size_t quote = rest_.find('\'', from);
    if (quote == std::string_view::npos) return false;  // the record was cut
    const bool doubled = quote + 1 < rest_.size() && rest_[quote + 1] == '\'';
    if (!doubled) {
      value.text = rest_.substr(from, quote - from);
      if (!unescaped_.empty()) value.text = unescaped_.append(value.text);
      rest_.remove_prefix(quote + 1);
      break;
    }
    unescaped_.append(rest_, from, quote + 1 - from);
    from = quote + 2;
  }
  // PostgreSQL marks a cut value by these three dots alone; one that ends so by itself is rare.
  value.truncated = value.text.ends_with("...");
  return true;
}

bool ParameterReader::next(ParameterValue& value) {
  value = {};
  if (!take_slot(value.slot)) return false;
  if (rest_.starts_with("NULL")) {
    value.null = true;
    rest_.remove_prefix(4);
  } else if (!rest_.starts_with('\'') || !take_quoted(value)) {
    rest_ = {};
    return false;
  }
  if (rest_.starts_with(", ")) rest_.remove_prefix(2);
  return true;
}

void ValueHasher::add(const Query& query, const ParameterValue& value, ValueHashes& hashes,
                      Execution& execution) const {
  const bool in_key =
      std::binary_search(query.equal_slots.begin(), query.equal_slots.end(), value.slot);
  if (value.truncated) {  // two cut values may differ behind the cut
    hashes.known = false;
    if (in_key) hashes.key_known = false;
    return;
  }
  const uint64_t hash = value.null ? kNullHash : keyed_hash(hash_key_, value.text);
  hashes.all = mix_hash(hashes.all, hash);
  if (in_key) hashes.key = mix_hash(hashes.key, hash);
  if (value.null) return;
  if (value.slot <= execution.values.size()) {
    execution.values[value.slot - 1U] = std::max(static_cast<uint32_t>(hash), 1U);
    if (read_integer(value.text, execution.integers[value.slot - 1U])) {
      execution.integer_slots |= static_cast<uint8_t>(1U << (value.slot - 1U));
    }
  }
  int64_t limit = 0;
  if (value.slot == query.limit_slot && read_integer(value.text, limit)) {
    execution.limit = static_cast<int32_t>(std::clamp<int64_t>(limit, -1, INT32_MAX));
  }
  if (value.slot == query.key_slot) set_key(query, value.text, execution);
}

ValueHashes ValueHasher::parameters(const Query& query, std::string_view detail,
                                    Execution& execution) const {
  ValueHashes hashes;
  if (query.parameters == 0) return hashes;
  ParameterReader reader(detail);
  ParameterValue value;
  uint16_t seen = 0;
  while (reader.next(value)) {
    if (value.slot != seen + 1 || value.slot > query.parameters) break;
    ++seen;
    add(query, value, hashes, execution);
  }
  if (seen < query.parameters) {
    hashes.known = false;
    hashes.key_known = query.equal_slots.empty() || query.equal_slots.front() > query.parameters;
  }
  return hashes;
}

ValueHashes ValueHasher::literals(const Query& query, std::span<const std::string_view> literals,
                                  Execution& execution) const {
  ValueHashes hashes;
  ParameterValue value;
  size_t slot = query.parameters;
  for (const std::string_view literal : literals) {
    value.slot = static_cast<uint16_t>(std::min<size_t>(++slot, UINT16_MAX));
    value.text = literal;
    add(query, value, hashes, execution);
  }
  return hashes;
}

void join(const Query& query, const ValueHashes& parameters, const ValueHashes& literals,
          Execution& execution) {
  constexpr uint64_t kNoValues = 1;
  const auto both = [kNoValues](uint64_t first, uint64_t second) {
    return std::max(mix_hash(first, second), kNoValues);  // 0 means not known
  };
  execution.parameters_hash = 0;
  if (parameters.known && literals.known) {
    execution.parameters_hash = both(parameters.all, literals.all);
    execution.flags |= Execution::kHasParameters;
  }
  if (query.equal_slots.empty()) {
    execution.key_hash = execution.parameters_hash;
  } else {
    const bool known = parameters.key_known && literals.key_known;
    execution.key_hash = known ? both(parameters.key, literals.key) : 0;
  }
}

}  // namespace ectoscope
