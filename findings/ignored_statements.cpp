#include "findings/ignored_statements.h"

#include <algorithm>
#include <tuple>

#include "findings/identity.h"

namespace ectoscope {

void IgnoredStatements::add(const Execution& execution, const std::string& database) {
  ++executions_;
  const std::pair key(execution.query, database);
  if (shapes_.size() >= most_shapes_ && !shapes_.contains(key)) {
    ++left_out_;
    return;
  }
  Count& count = shapes_[key];
  ++count.executions;
  count.duration += execution.duration;
}

void IgnoredStatements::fill(const QueryTable& queries, Ignoring& ignoring) const {
  ignoring.statements = executions_;
  ignoring.statements_left_out = left_out_;
  for (const auto& [key, count] : shapes_) {
    ignoring.shapes.push_back(
        {query_facts(queries[key.first]), key.second, count.executions, count.duration});
  }
  std::sort(ignoring.shapes.begin(), ignoring.shapes.end(), [](const auto& a, const auto& b) {
    return std::tie(b.executions, a.query.text, a.database) <
           std::tie(a.executions, b.query.text, b.database);
  });
}

}  // namespace ectoscope
