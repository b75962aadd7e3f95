#include "ingest/statement_poller.h"

#include <algorithm>
#include <unordered_map>

namespace ectoscope {
namespace {

using Reason = DatabaseError::Reason;

constexpr std::chrono::milliseconds kFirstBackoff{1'000};
// Any reading with texts loads the server's whole file of them; to name more ids than this costs
// more than to pass over the texts that are known already.
constexpr size_t kMaxNamedIds = 5'000;

EventTime time_of(int64_t micros) {
  return EventTime(Micros(micros));
}

uint64_t text_key(uint32_t database, int64_t queryid) {
  return static_cast<uint64_t>(queryid) ^ (uint64_t{database} << 32U | database);
}

}  // namespace

StatementPoller::StatementPoller(Database& database, Resolve resolve,
                                 StatementPollerSettings settings)
    : database_(database), resolve_(std::move(resolve)), settings_(settings) {}

StatementPoll StatementPoller::failed(const DatabaseError& error) {
  backoff_ =
      std::clamp(2 * backoff_, kFirstBackoff, std::max(settings_.max_backoff, kFirstBackoff));
  StatementPoll poll;
  poll.problem = error.message;
  poll.next = backoff_;
  return poll;
}

StatementPoll StatementPoller::poll() {
  changed_.clear();
  Database::Begun begun = database_.begin();
  if (!begun.transaction) return failed(begun.error);
  StatementPoll poll;
  if (const auto error = read(*begun.transaction, poll)) return failed(*error);
  backoff_ = std::chrono::milliseconds(0);
  poll.up = true;
  poll.next = settings_.interval;
  return poll;
}

std::optional<DatabaseError> StatementPoller::read(ReadTransaction& transaction,
                                                   StatementPoll& poll) {
  Extension extension;
  if (auto error = find_extension(transaction, extension)) return error;
  const std::string query = reading_query(extension.version, extension.schema);
  StatementReading before;
  StatementReading after;
  if (auto error = transaction.run(query, {}, [&](auto row) { before = read_reading(row); })) {
    return error;
  }
  if (auto error = read_rows(transaction, extension, poll)) return error;
  if (auto error = transaction.run(query, {}, [&](auto row) { after = read_reading(row); })) {
    return error;
  }
  // Reset while it was read: these rows belong to neither side.  The next poll takes the new side.
  if (after.reset_us != before.reset_us) return std::nullopt;
  before.partial = poll.dropped.contains("statements_full");
  const bool begun = deltas_.has_begun();
  const EventTime from = time_of(deltas_.last_us());
  poll.at = time_of(before.now_us);
  deltas_.apply(before, rows_, [this](const auto& delta) { changed_.push_back(delta); });
  if (!begun || changed_.empty()) return std::nullopt;
  // What ran is counted by now: when the texts can't be had, it goes unnamed.
  auto error = read_names(transaction);
  if (!error) error = read_texts(transaction, extension.schema, poll);
  if (error) poll.problem = error->message;
  make_samples(poll, from, *poll.at);
  return std::nullopt;
}

std::optional<DatabaseError> StatementPoller::find_extension(ReadTransaction& transaction,
                                                             Extension& extension) {
  std::string version;
  auto error = transaction.run(kFindStatements, {}, [&](DatabaseRow row) {
    version = row[0].value_or("");
    extension.schema = row[1].value_or("");
    extension.own_role = std::to_string(number_in(row[2]));
  });
  if (error) return error;
  if (version.empty()) {
    return DatabaseError{Reason::kMissing,
                         database_.name() +
                             ": pg_stat_statements is not installed in this database; run CREATE "
                             "EXTENSION pg_stat_statements in it, or name another dbname",
                         ""};
  }
  const auto parsed = StatementsVersion::parse(version);
  if (!parsed) {
    return DatabaseError{Reason::kMissing,
                         database_.name() +
                             ": pg_stat_statements is of a version that cannot be read; run ALTER "
                             "EXTENSION pg_stat_statements UPDATE",
                         ""};
  }
  extension.version = *parsed;
  return std::nullopt;
}

std::optional<DatabaseError> StatementPoller::read_rows(ReadTransaction& transaction,
                                                        const Extension& extension,
                                                        StatementPoll& poll) {
  rows_.clear();
  uint64_t hidden = 0;
  uint64_t left_out = 0;
  const auto on_row = [&](DatabaseRow row) {
    const auto statement = read_statement(row);
    if (!statement) {
      ++hidden;
    } else if (rows_.size() == settings_.max_statements) {
      ++left_out;
    } else {
      rows_.push_back(*statement);
    }
  };
  auto error = transaction.stream(
      statements_query(extension.version, extension.schema, extension.own_role), on_row);
  if (error) {
    if (error->reason == Reason::kMissing) {
      error->message +=
          "; add pg_stat_statements to shared_preload_libraries and restart PostgreSQL";
    }
    return error;
  }
  if (left_out > 0) poll.dropped["statements_full"] = left_out;
  if (hidden > 0) {
    poll.dropped["hidden"] = hidden;
    poll.problem = database_.name() +
                   ": other roles' statements are hidden; GRANT pg_read_all_stats TO this role";
  }
  return std::nullopt;
}

std::optional<DatabaseError> StatementPoller::read_texts(ReadTransaction& transaction,
                                                         const std::string& schema,
                                                         StatementPoll& poll) {
  // Several users' entries share a text.
  std::unordered_multimap<uint64_t, const StatementDeltas::Delta*> wanted;
  std::vector<int64_t> queryids;
  for (const StatementDeltas::Delta& delta : changed_) {
    if (*delta.query != kNoQuery) continue;
    wanted.emplace(text_key(delta.key.database, delta.key.queryid), &delta);
    queryids.push_back(delta.key.queryid);
  }
  if (wanted.empty()) return std::nullopt;
  if (queryids.size() > kMaxNamedIds) queryids.clear();
  uint64_t full = 0;
  auto error = transaction.stream(texts_query(schema, queryids), [&](DatabaseRow row) {
    const int64_t queryid = number_in(row[1]);
    const auto [begin, end] =
        wanted.equal_range(text_key(static_cast<uint32_t>(number_in(row[0])), queryid));
    if (begin == end || !row[2] || row[2]->size() > settings_.max_text_bytes) return;
    const QueryId query = resolve_(*row[2]);
    for (auto it = begin; it != end; ++it) {
      *it->second->query = query;
      if (query == kNoQuery) ++full;
    }
    wanted.erase(begin, end);
  });
  if (!wanted.empty()) poll.dropped["no_text"] = wanted.size();
  if (full > 0) poll.dropped["shapes_full"] = full;
  return error;
}

std::optional<DatabaseError> StatementPoller::read_names(ReadTransaction& transaction) {
  const bool known = std::all_of(changed_.begin(), changed_.end(), [this](const auto& delta) {
    return names_.contains(delta.key.database);
  });
  if (known) return std::nullopt;
  names_.clear();
  return transaction.run(kDatabaseNames, {}, [this](DatabaseRow row) {
    names_[static_cast<uint32_t>(number_in(row[0]))] = row[1].value_or("");
  });
}

void StatementPoller::make_samples(StatementPoll& poll, EventTime from, EventTime to) {
  struct Sum {
    StatementCounters counters;
    int64_t queryid = 0;
    uint64_t most_calls = 0;
  };
  std::map<std::pair<uint32_t, QueryId>, Sum> sums;
  for (const StatementDeltas::Delta& delta : changed_) {
    if (*delta.query == kNoQuery) continue;
    Sum& sum = sums[{delta.key.database, *delta.query}];
    sum.counters.add(delta.counters);
    if (delta.counters.calls > sum.most_calls) {
      sum.most_calls = delta.counters.calls;
      sum.queryid = delta.key.queryid;
    }
  }
  std::map<std::string, DatabaseSamples> by_name;
  for (const auto& [key, sum] : sums) {
    const auto name = names_.find(key.first);
    if (name == names_.end()) {
      ++poll.dropped["no_database"];  // dropped meanwhile
      continue;
    }
    StatementSample sample;
    sample.query = key.second;
    sample.database = key.first;
    sample.queryid = sum.queryid;
    sample.from = from;
    sample.to = to;
    sample.calls = sum.counters.calls;
    sample.rows = sum.counters.rows;
    sample.total_time = Micros(static_cast<int64_t>(sum.counters.total_us));
    sample.blocks_read = sum.counters.blocks_read;
    sample.temp_blocks = sum.counters.temp_blocks;
    by_name[name->second].samples.push_back(sample);
  }
  for (auto& [name, samples] : by_name) {
    samples.database = name;
    poll.databases.push_back(std::move(samples));
  }
}

}  // namespace ectoscope
