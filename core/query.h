// What is true of every statement of one shape, read from its text once.
//
// A shape is the statement without comments, literals and aliases' noise, with the form of its key:
// `x.fk = $1` (one row's children: what N+1 repeats) and `x.fk = ANY($1)` (a preload: the cure) are
// two shapes although libpg_query gives them one fingerprint.
//
// A slot numbers the values that a statement runs with, from 1: first its parameters $1..$n, then
// its literals in the order of the text.  0 means that there is no value.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace ectoscope {

using QueryId = uint32_t;
inline constexpr QueryId kNoQuery = 0;

enum class Operation : uint8_t { kOther, kSelect, kInsert, kUpdate, kDelete, kDdl, kTransaction };
enum class KeyForm : uint8_t { kNone, kSingle, kList };
enum class TransactionVerb : uint8_t {
  kNone,
  kBegin,
  kCommit,
  kRollback,
  kSavepoint,
  kRelease,
  kRollbackTo
};

/// One comparison of the WHERE clause (of a join's ON too) that is AND-ed to the others.
struct Predicate {
  std::string table;  // aliases resolved; empty when the column's table can't be told
  std::string column;
  std::string op;        // "=", "<", "<>", "LIKE", "ILIKE", "IS NULL", "IS NOT NULL", ...
  uint16_t slot = 0;     // the value compared with; 0 for a column, an expression or none
  bool list = false;     // = ANY($1), IN (...)
  bool wrapped = false;  // the column stands inside a function or a cast
  bool join = false;     // compared with another column
};

struct OrderColumn {
  std::string table;
  std::string column;
  bool descending = false;
};

struct Query {
  QueryId id = kNoQuery;
  uint64_t fingerprint = 0;  // libpg_query's; 0 when the text did not parse
  Operation operation = Operation::kOther;
  TransactionVerb transaction = TransactionVerb::kNone;
  bool parsed = false;    // false: facts are guessed from the skeleton alone
  bool system = false;    // catalog, migrator, SELECT 1, SET, locks, Oban's upkeep: in no trace
  bool ends_job = false;  // Oban writes down what became of one job

  std::string text;       // to show: comments gone, literals are $n.  Holds no value.
  std::string canonical;  // to identify: text with aliases and spacing made equal
  std::string summary;    // "SELECT posts", "INSERT orders"; at most 255 bytes

  std::vector<std::string> tables;  // tables[0] is what it is about: FROM's first, or the target
  std::vector<Predicate> predicates;
  std::vector<OrderColumn> order_by;
  KeyForm key_form = KeyForm::kNone;  // of the key below
  std::string key_table;              // the key is the id-like column that is compared by equality
  std::string key_column;
  uint16_t key_slot = 0;
  std::vector<uint16_t> equal_slots;  // all slots compared by single equality, ascending

  bool aggregate = false;  // count(*), sum(x), exists: no row but a figure
  bool has_limit = false;
  uint16_t limit_slot = 0;
  bool has_offset = false;
  uint16_t offset_slot = 0;
  bool range = false;       // some AND-ed predicate is <, >, <=, >= or BETWEEN
  bool locks_rows = false;  // FOR UPDATE and the like
  bool on_conflict = false;
  bool returning = false;
  bool has_join = false;
  uint32_t inserted_rows = 0;  // rows of VALUES in an INSERT; 0 when it inserts from a SELECT
  uint16_t ddl = 0;            // bits of Ddl, see core/ddl.h
  uint16_t parameters = 0;     // highest $n in the text
  uint16_t literals = 0;
};

/// "tenant.order_items" -> "order_items".
inline std::string_view bare_name(std::string_view table) {
  const size_t dot = table.rfind('.');
  return dot == std::string_view::npos ? table : table.substr(dot + 1);
}

/// COMMIT or ROLLBACK of the whole transaction.
inline bool ends_transaction(const Query& query) {
  return query.transaction == TransactionVerb::kCommit ||
         query.transaction == TransactionVerb::kRollback;
}

/// All shapes seen, by number.  Holds at most `capacity`; what comes after it is kNoQuery, which
/// the caller counts.
///
/// Threads: add() from several; operator[] from any thread that got the id from add() or through a
/// queue.  References stay valid, and what they point at unchanged, while the table lives.
class QueryTable {
 public:
  static constexpr size_t kMaxCapacity = size_t{1} << 20U;

  explicit QueryTable(size_t capacity);

  /// Takes the query, gives it its id and returns that; kNoQuery when the table is full.
  QueryId add(Query query);

  /// As add(), but the id that the table has already for `identity`, where it has one: sources that
  /// share a table share their shapes.
  QueryId find_or_add(Query query, uint64_t identity);

  /// Nothing more can be added.
  [[nodiscard]] bool full() const { return size() >= capacity_; }

  const Query& operator[](QueryId id) const {
    return (*chunks_[id / kChunk].load(std::memory_order_acquire))[id % kChunk];
  }
  /// One more than the highest id.
  [[nodiscard]] size_t size() const { return size_.load(std::memory_order_acquire); }

 private:
  QueryId add_locked(Query query);

  static constexpr size_t kChunk = 1024;
  using Chunk = std::array<Query, kChunk>;

  size_t capacity_;
  std::mutex adding_;
  std::unordered_map<uint64_t, QueryId> identities_;
  std::atomic<size_t> size_{0};
  std::vector<std::unique_ptr<Chunk>> owned_;
  std::array<std::atomic<Chunk*>, kMaxCapacity / kChunk> chunks_{};
};

}  // namespace ectoscope
