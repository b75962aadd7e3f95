// Any bytes as a statement: a second look gives the same answer, literals lie inside the text, and
// what is shown is bounded and printable.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "parsers/sql_shapes.h"

namespace {

void require(bool holds) {
  if (!holds) __builtin_trap();
}

bool printable(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ectoscope;
  const std::string_view sql(reinterpret_cast<const char*>(data), size);
  SqlSettings settings;
  settings.exact_cache = settings.skeleton_cache = 64;
  settings.tenant_schemas = {"tenant_*", "us*", "p0*"};
  QueryTable queries(1000);
  Routes routes(100);
  SqlShapes shapes(queries, routes, HashKey{1, 2}, settings);

  const ResolvedSql first = shapes.resolve(sql);
  std::vector<std::string> literals(first.literals.begin(), first.literals.end());
  for (const std::string_view literal : first.literals) {
    require(literal.data() >= sql.data() && literal.data() + literal.size() <= sql.data() + size);
  }
  const ResolvedSql& second = shapes.resolve(sql);
  require(second.query == first.query && second.trace_id == first.trace_id);
  require(second.route == first.route && second.commented == first.commented);
  require(std::vector<std::string>(second.literals.begin(), second.literals.end()) == literals);

  const Query& query = queries[first.query];
  require(query.text.size() <= 8192 && query.canonical.size() <= 8192 + 32);
  require(query.summary.size() <= 255);
  require(printable(query.text) && printable(query.canonical) && printable(query.summary));
  require(query.key_slot <= query.parameters + query.literals);

  return 0;
}
