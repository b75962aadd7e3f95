#include "parsers/single_statement.h"

#include <pg_query.h>
#include <pg_query.pb-c.h>

#include "parsers/sql_parse_thread.h"

namespace ectoscope {
namespace {

constexpr size_t kMaxBytes = size_t{64} << 10U;  // an advised index needs no longer statement

bool is_one(const char* sql) {
  const PgQueryProtobufParseResult result = pg_query_parse_protobuf(sql);
  bool one = false;
  if (result.error == nullptr) {
    PgQuery__ParseResult* tree = pg_query__parse_result__unpack(
        nullptr, result.parse_tree.len, reinterpret_cast<const uint8_t*>(result.parse_tree.data));
    if (tree != nullptr && tree->n_stmts == 1 && tree->stmts[0]->stmt != nullptr) {
      switch (tree->stmts[0]->stmt->node_case) {
        case PG_QUERY__NODE__NODE_SELECT_STMT:
        case PG_QUERY__NODE__NODE_INSERT_STMT:
        case PG_QUERY__NODE__NODE_UPDATE_STMT:
        case PG_QUERY__NODE__NODE_DELETE_STMT:
          one = true;
          break;
        default:
          break;
      }
    }
    if (tree != nullptr) pg_query__parse_result__free_unpacked(tree, nullptr);
  }
  pg_query_free_protobuf_parse_result(result);
  return one;
}

}  // namespace

class SingleStatement::Impl {
 public:
  SqlParseThread thread;
};

SingleStatement::SingleStatement() : impl_(std::make_unique<Impl>()) {}
SingleStatement::~SingleStatement() = default;

bool SingleStatement::holds(const std::string& sql) {
  if (sql.size() > kMaxBytes || sql.find('\0') != std::string::npos) return false;
  bool one = false;
  return impl_->thread.run([&] { one = is_one(sql.c_str()); }) && one;
}

}  // namespace ectoscope
