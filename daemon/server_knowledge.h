// What a server says to a finding's fix: which indexes exist, and which one its planner would take.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/catalog.h"
#include "core/database.h"
#include "core/finding.h"
#include "daemon/index_trial.h"

namespace ectoscope {

/// How a fix is made, from advice/.
struct Advisers {
  std::function<Fix(const AdviceRequest& request, const Catalog* catalog)> advise;
  /// Indexes that may help, the likeliest first; the first is what advise() says.
  std::function<std::vector<IndexAdvice>(const AdviceRequest& request, const Catalog* catalog)>
      candidates;
  std::function<std::string(const IndexAdvice& index)> create_sql;
};

struct KnowledgeSettings {
  bool hypopg = true;
  std::chrono::milliseconds catalog_age{600'000};  // then it is read again
  std::chrono::milliseconds trial_age{3'600'000};  // then an index is tried again
  std::chrono::milliseconds first_backoff{2'000};  // after a lost connection, doubled each time
  std::chrono::milliseconds max_backoff{60'000};
};

/// Asks the server on a thread of its own, one database at a time, and remembers what it said.
///
/// Threads: advise() from any.  What is asked for the first time is answered without the server,
/// and with it some time later.
class ServerKnowledge {
 public:
  /// A connection to one of the server's databases.
  using Connect = std::function<std::unique_ptr<Database>(const std::string& database)>;

  ServerKnowledge(Connect connect, Advisers advisers, KnowledgeSettings settings = {});
  ServerKnowledge(const ServerKnowledge&) = delete;
  ServerKnowledge& operator=(const ServerKnowledge&) = delete;
  /// Interrupts what is being asked.
  ~ServerKnowledge();

  /// `request.query` must stay as it is, as a QueryTable's entries do.
  Fix advise(const AdviceRequest& request, const std::string& database);

  /// What stands in the way of asking; empty: nothing.
  [[nodiscard]] std::string problem() const;
  /// How often the server said something new.
  [[nodiscard]] uint64_t news() const;
  /// Nothing is waiting to be asked.
  [[nodiscard]] bool idle() const;

 private:
  using Clock = std::chrono::steady_clock;

  struct Known {
    std::shared_ptr<const Catalog> catalog;
    Clock::time_point read_at{};
    bool wanted = false;
  };
  struct Candidate {
    IndexAdvice index;
    std::string create_sql;
  };
  /// An index that is asked for, and what came of it.
  struct Question {
    std::string database;
    const Query* query = nullptr;
    bool of_trigger = false;
    std::vector<Candidate> candidates;
    std::optional<TrialOutcome> outcome;
    IndexAdvice chosen;
    Clock::time_point asked_at{};
    bool waiting = false;
  };

  void work(const std::stop_token& stop);
  bool next_database(std::string& database);
  std::optional<DatabaseError> ask(const std::string& database, const std::stop_token& stop);
  std::optional<DatabaseError> read_into(Database& connection, const std::string& database);
  std::optional<DatabaseError> answer(Database& connection, const std::string& key,
                                      Question question);
  std::shared_ptr<const Catalog> catalog_of(const std::string& database);
  const Question* question_for(const AdviceRequest& request, const std::string& database,
                               const Fix& fix, const Catalog* catalog);

  const Connect connect_;
  const Advisers advisers_;
  const KnowledgeSettings settings_;
  SingleStatement parser_;

  mutable std::mutex mutex_;  // of what follows
  std::condition_variable_any asked_;
  std::map<std::string, Known> catalogs_;
  std::map<std::string, Question> questions_;  // by database, shape and index
  Database* asking_ = nullptr;                 // the connection in use
  std::string problem_;
  uint64_t news_ = 0;
  std::jthread worker_;  // last: it uses all of the above
};

}  // namespace ectoscope
