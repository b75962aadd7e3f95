#include "parsers/sql_shapes.h"

#define XXH_INLINE_ALL
#include <array>
#include <cstring>
#include <utility>
#include <vector>
#include <xxhash.h>

#include "parsers/comment_tags.h"
#include "parsers/sql_cache.h"
#include "parsers/sql_facts.h"
#include "parsers/sql_guard.h"
#include "parsers/sql_parse_thread.h"
#include "parsers/sql_skeleton.h"
#include "parsers/sql_tenants.h"
#include "parsers/sql_text.h"

namespace ectoscope {
namespace {

// Texts past this length, or with more literals, are worth no place in the exact cache.
constexpr size_t kMaxCachedText = size_t{64} << 10U;
constexpr size_t kMaxCachedLiterals = 8;
constexpr int kMaxEdgeComments = 16;
constexpr size_t kMaxKeptBuffer = size_t{1} << 20U;
// libpg_query takes 2 KB of stack for a token at worst (measured: nested `(SELECT`, chained `NOT`),
// so these are read on the caller's stack: to wake the parse thread takes longer than most of them.
constexpr uint32_t kMaxTokensInPlace = 500;

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && (is_space(text.back()) || text.back() == ';'))
    text.remove_suffix(1);
  return text;
}

// Cuts `/*...*/` off the end without reading the rest.  Text that ends in `*/` ends in a comment
// (no operator can stand last), and it begins at the last `/*` unless comments are nested: then
// another `*/` stands between, and the lexer must see to it.
bool cut_last_comment(std::string_view& text, std::string_view& comment) {
  if (text.size() < 4 || !text.ends_with("*/")) return false;
  size_t slash = text.size() - 1;
  for (;;) {
    const void* const found = memrchr(text.data(), '/', slash);
    if (found == nullptr) return false;
    slash = static_cast<size_t>(static_cast<const char*>(found) - text.data());
    if (slash + 3 < text.size() && text[slash + 1] == '*') break;
    if (slash > 0 && text[slash - 1] == '*') return false;
  }
  comment = text.substr(slash + 2, text.size() - slash - 4);
  text = text.substr(0, slash);
  return true;
}

bool cut_first_comment(std::string_view& text, std::string_view& comment) {
  if (!text.starts_with("/*")) return false;
  const size_t end = text.find("*/", 2);
  if (end == std::string_view::npos) return false;
  const std::string_view inner = text.substr(2, end - 2);
  if (inner.find("/*") != std::string_view::npos) return false;
  comment = inner;
  text = text.substr(end + 2);
  return true;
}

// Two statements are one shape when they read the same and their values stand in the same slots:
// other letter case, quotes, spacing or alias is no other shape, other numbers of parameters are.
// What runs for several tenants is a shape each, for no loop goes over them, but one finding.
uint64_t identity_of(const Query& query, std::string_view tenants) {
  std::string text = query.canonical;
  text.append(tenants);
  const auto add = [&text](uint64_t number) {
    text.append(1, '\0').append(std::to_string(number));
  };
  add(query.literals);
  if (query.inserted_rows <= 1) add(query.parameters);
  add(query.inserted_rows > 1 ? 2 : query.inserted_rows);
  add(query.limit_slot);
  add(query.offset_slot);
  for (const Predicate& predicate : query.predicates)
    add(predicate.slot);
  return XXH3_64bits(text.data(), text.size());
}

void show(const SqlSkeleton& skeleton, const SqlAliases& aliases, Query& query) {
  query.summary = summarize(skeleton, query);
  if (query.transaction != TransactionVerb::kNone) {
    // A savepoint's name, often made up for one use, makes no shape.
    query.text = query.canonical = query.summary;
  } else {
    query.text = show_sql(skeleton);
    query.canonical = canonical_sql(skeleton, aliases);
  }
}

}  // namespace

class SqlShapes::Impl {
 public:
  Impl(QueryTable& queries, Routes& routes, const HashKey& key, SqlSettings settings)
      : queries_(queries),
        settings_(std::move(settings)),
        tags_(routes, key),
        seed_(key.first ^ key.second),
        tenants_(settings_.tenant_schemas),
        exact_(settings_.exact_cache),
        skeletons_(settings_.skeleton_cache) {
    XXH3_generateSecret_fromSeed(secret_.data(), seed_);
  }

  const ResolvedSql& resolve(std::string_view sql);

  [[nodiscard]] const TenantSchemas& tenants() const { return tenants_; }
  [[nodiscard]] const std::map<std::string, uint64_t, std::less<>>& counts() const {
    return counts_;
  }

 private:
  // What an exact text is known to say; the comments at its edges are read anew each time.
  struct Known {
    QueryId query = kNoQuery;
    CommentTags inner;  // of comments inside the text
    uint32_t literals = 0;
    std::array<SqlSpan, kMaxCachedLiterals> spans{};
  };

  std::string_view read_edges(std::string_view sql, CommentTags& tags);
  void read_text(std::string_view text, const SqlTextHash& hash, CommentTags& tags);
  QueryId query_of_skeleton();
  QueryId add_query();
  bool parse(Query& query, SqlAliases& aliases);
  void keep(const SqlTextHash& hash, QueryId query, const CommentTags& inner);
  void take_known(const Known& known, std::string_view text, CommentTags& tags);
  void trim_buffers();
  void count(std::string_view reason);
  [[nodiscard]] SqlTextHash hash_of(std::string_view text) const;

  QueryTable& queries_;
  SqlSettings settings_;
  CommentTagReader tags_;
  uint64_t seed_;
  std::array<char, XXH3_SECRET_DEFAULT_SIZE> secret_{};
  TenantSchemas tenants_;
  SqlCache<Known> exact_;
  SqlCache<QueryId> skeletons_;
  SqlSkeletonBuilder builder_;
  SqlSkeleton skeleton_;
  SqlParseThread parser_;
  bool refused_ = false;  // by libpg_query, the last one that was asked
  std::vector<std::string_view> literals_;
  std::map<std::string, uint64_t, std::less<>> counts_;
  ResolvedSql resolved_;
};

const ResolvedSql& SqlShapes::Impl::resolve(std::string_view sql) {
  resolved_ = ResolvedSql{};
  literals_.clear();
  CommentTags tags;
  const std::string_view text = read_edges(sql, tags);
  if (!text.empty()) {
    const SqlTextHash hash = hash_of(text);
    if (const Known* known = exact_.find(hash); known != nullptr) {
      take_known(*known, text, tags);
    } else {
      read_text(text, hash, tags);
    }
  }
  if (tags.bad_traceparent) count("bad_traceparent");
  resolved_.trace_id = tags.trace_id;
  resolved_.request_tag = tags.request_tag;
  resolved_.route = tags.route;
  resolved_.commented = tags.commented;
  resolved_.ignored = tags.ignored;
  resolved_.literals = literals_;
  return resolved_;
}

// Reads the comments before and after the statement and returns what is between.
std::string_view SqlShapes::Impl::read_edges(std::string_view sql, CommentTags& tags) {
  std::string_view text = trimmed(sql);
  std::string_view comment;
  for (int i = 0; i < kMaxEdgeComments && cut_first_comment(text, comment); ++i) {
    tags_.read(comment, tags);
    text = trimmed(text);
  }
  for (int i = 0; i < kMaxEdgeComments && cut_last_comment(text, comment); ++i) {
    tags_.read(comment, tags);
    text = trimmed(text);
  }
  return text;
}

SqlTextHash SqlShapes::Impl::hash_of(std::string_view text) const {
  const XXH128_hash_t hash = XXH3_128bits_withSecretandSeed(text.data(), text.size(),
                                                            secret_.data(), secret_.size(), seed_);
  return {hash.high64, hash.low64, static_cast<uint32_t>(text.size())};
}

void SqlShapes::Impl::take_known(const Known& known, std::string_view text, CommentTags& tags) {
  resolved_.query = known.query;
  if (known.query == kNoQuery) count("shapes_full");
  if (known.inner.commented) merge_tags(tags, known.inner);
  for (uint32_t i = 0; i < known.literals; ++i) {
    literals_.push_back(
        text.substr(known.spans[i].begin, known.spans[i].end - known.spans[i].begin));
  }
}

void SqlShapes::Impl::read_text(std::string_view text, const SqlTextHash& hash, CommentTags& tags) {
  builder_.build(text, skeleton_);
  CommentTags inner;
  for (const SqlSpan& comment : skeleton_.comments)
    tags_.read(text.substr(comment.begin, comment.end - comment.begin), inner);
  merge_tags(tags, inner);
  for (const SqlLiteral& literal : skeleton_.literals)
    literals_.push_back(text.substr(literal.begin, literal.end - literal.begin));
  if (skeleton_.text.empty()) return;
  resolved_.query = query_of_skeleton();
  if (text.size() <= kMaxCachedText) keep(hash, resolved_.query, inner);
  trim_buffers();
}

QueryId SqlShapes::Impl::query_of_skeleton() {
  const SqlTextHash hash = hash_of(skeleton_.text);
  if (const QueryId* known = skeletons_.find(hash); known != nullptr) {
    if (*known == kNoQuery) count("shapes_full");
    return *known;
  }
  const QueryId query = queries_.full() ? kNoQuery : add_query();
  if (query == kNoQuery) count("shapes_full");
  skeletons_.insert(hash) = query;
  return query;
}

// Whether libpg_query read the skeleton; counts why not.
bool SqlShapes::Impl::parse(Query& query, SqlAliases& aliases) {
  bool parsed = false;
  refused_ = false;
  const SqlMeasure size = measure_sql(skeleton_.text);
  const auto read = [&] { parsed = read_facts(skeleton_, query, aliases); };
  if (skeleton_.torn) {
    count("sql_refused");
  } else if (skeleton_.text.size() > settings_.max_statement_bytes ||
             size.tokens > settings_.max_tokens) {
    count("sql_too_long");
  } else if (size.depth > settings_.max_depth || size.height > settings_.max_height) {
    count("sql_too_deep");
  } else {
    if (size.tokens <= kMaxTokensInPlace) {
      read();
    } else if (!parser_.run(read)) {
      count("sql_no_parser");
      return false;
    }
    refused_ = !parsed;
    if (refused_) count("sql_refused");
  }
  return parsed;
}

QueryId SqlShapes::Impl::add_query() {
  make_printable(skeleton_.text);
  const std::string tenants = tenants_.fold(skeleton_);
  Query query;
  SqlAliases aliases;
  if (parse(query, aliases)) {
    show(skeleton_, aliases, query);
  } else if (refused_) {
    SqlSkeleton safe = skeleton_;
    if (safe.abrupt) stop_at_first_string(safe);
    guess_facts(safe, query);
    stop_at_first_string(safe);
    show(safe, guess_aliases(safe), query);
    query.canonical += hash_suffix(skeleton_.text);
  } else {
    guess_facts(skeleton_, query);
    show(skeleton_, guess_aliases(skeleton_), query);
  }
  return queries_.find_or_add(query, identity_of(query, tenants));
}

void SqlShapes::Impl::keep(const SqlTextHash& hash, QueryId query, const CommentTags& inner) {
  if (skeleton_.literals.size() > kMaxCachedLiterals) return;
  // A trace id inside the text makes the text one that comes but once.
  if (inner.trace_id.known()) return;
  Known& known = exact_.insert(hash);
  known.query = query;
  known.inner = inner;
  for (const SqlLiteral& literal : skeleton_.literals)
    known.spans[known.literals++] = {literal.begin, literal.end};
}

void SqlShapes::Impl::trim_buffers() {
  if (skeleton_.text.capacity() > kMaxKeptBuffer ||
      skeleton_.literals.capacity() > kMaxKeptBuffer / sizeof(SqlLiteral)) {
    skeleton_ = SqlSkeleton{};
    builder_ = SqlSkeletonBuilder{};
  }
}

void SqlShapes::Impl::count(std::string_view reason) {
  const auto found = counts_.find(reason);
  if (found == counts_.end()) {
    counts_.emplace(reason, 1);
  } else {
    ++found->second;
  }
}

SqlShapes::SqlShapes(QueryTable& queries, Routes& routes, const HashKey& key, SqlSettings settings)
    : impl_(std::make_unique<Impl>(queries, routes, key, std::move(settings))) {}

SqlShapes::~SqlShapes() = default;

const ResolvedSql& SqlShapes::resolve(std::string_view sql) {
  return impl_->resolve(sql);
}

std::string_view SqlShapes::shown_schema(std::string_view name) const {
  return impl_->tenants().shown(name);
}

const std::map<std::string, uint64_t, std::less<>>& SqlShapes::counts() const {
  return impl_->counts();
}

}  // namespace ectoscope
