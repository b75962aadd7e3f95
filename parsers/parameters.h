// The values that a statement ran with, read from `parameters: $1 = '..', $2 = NULL` and turned
// into keyed hashes at once.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/execution.h"
#include "core/hash.h"
#include "core/query.h"

namespace ectoscope {

struct ParameterValue {
  uint16_t slot = 0;
  bool null = false;
  bool truncated = false;  // cut at log_parameter_max_length
  std::string_view text;   // without quotes; valid until the next call of next()
};

/// Walks over the values of a DETAIL, in whatever language its first word is.
class ParameterReader {
 public:
  explicit ParameterReader(std::string_view detail);

  /// False at the end, and at the first thing that is no value.
  bool next(ParameterValue& value);

 private:
  bool take_slot(uint16_t& slot);
  bool take_quoted(ParameterValue& value);

  std::string_view rest_;
  std::string unescaped_;
};

/// Hashes of one half of a statement's values: its parameters, or its literals.  The two halves
/// may become known at different times.
struct ValueHashes {
  uint64_t all = 0;   // folded over the values in order
  uint64_t key = 0;   // the same over those in Query::equal_slots
  bool known = true;  // false: a value was missing or truncated
  bool key_known = true;
};

/// Puts hashes of values into an Execution.  Works on its own half only, see join().
class ValueHasher {
 public:
  explicit ValueHasher(const HashKey& key) : hash_key_(key) {}

  /// The parameters in `detail`; `known` is false when some of query.parameters are not there.
  ValueHashes parameters(const Query& query, std::string_view detail, Execution& execution) const;

  ValueHashes literals(const Query& query, std::span<const std::string_view> literals,
                       Execution& execution) const;

 private:
  void add(const Query& query, const ParameterValue& value, ValueHashes& hashes,
           Execution& execution) const;

  HashKey hash_key_;
};

/// Sets parameters_hash, key_hash and kHasParameters from both halves; 0 where they are not known.
void join(const Query& query, const ValueHashes& parameters, const ValueHashes& literals,
          Execution& execution);

}  // namespace ectoscope
