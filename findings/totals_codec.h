// FindingTotals to text and back, for the store.  Plans are not kept.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "core/query.h"
#include "findings/finding_totals.h"

namespace ectoscope {

/// A shape's id means nothing in another process; its text does.
struct ShapeTexts {
  std::function<std::string(QueryId)> text_of;
  std::function<QueryId(const std::string& text)> id_of;  // kNoQuery: there is no room for it
};

class TotalsCodec {
 public:
  static std::string encode(const FindingTotals& totals, const ShapeTexts& shapes);

  /// Nothing when the text is none of encode()'s.
  static std::optional<FindingTotals> decode(const std::string& text, size_t max_examples,
                                             const ShapeTexts& shapes);
};

}  // namespace ectoscope
