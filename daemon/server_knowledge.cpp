#include "daemon/server_knowledge.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "daemon/catalog_reader.h"

namespace ectoscope {
namespace {

constexpr size_t kMaxQuestions = 1'000;
constexpr size_t kMaxDatabases = 100;
constexpr size_t kMaxCandidates = 3;
// Of two indexes that cost the same but for so much, the likelier one stays.
constexpr double kSame = 0.95;

std::string key_of(const AdviceRequest& request, const std::string& database, const Fix& fix) {
  return database + '\n' + request.query->canonical + '\n' + fix.sql;
}

/// HypoPG knows no GIN and no GiST, and a pattern that the planner does not see begins with
/// anything.
bool can_be_tried(const Fix& fix) {
  return fix.sql.find(" USING g") == std::string::npos &&
         fix.sql.find(" text_pattern_ops") == std::string::npos;
}

}  // namespace

ServerKnowledge::ServerKnowledge(Connect connect, Advisers advisers, KnowledgeSettings settings)
    : connect_(std::move(connect)), advisers_(std::move(advisers)), settings_(settings) {
  worker_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
}

ServerKnowledge::~ServerKnowledge() {
  worker_.request_stop();
  {
    const std::lock_guard lock(mutex_);
    if (asking_ != nullptr) asking_->interrupt();
  }
  asked_.notify_all();
  worker_.join();
}

std::string ServerKnowledge::problem() const {
  const std::lock_guard lock(mutex_);
  return problem_;
}

uint64_t ServerKnowledge::news() const {
  const std::lock_guard lock(mutex_);
  return news_;
}

bool ServerKnowledge::idle() const {
  const std::lock_guard lock(mutex_);
  return std::none_of(catalogs_.begin(), catalogs_.end(),
                      [](const auto& entry) { return entry.second.wanted; }) &&
         std::none_of(questions_.begin(), questions_.end(),
                      [](const auto& entry) { return entry.second.waiting; });
}

std::shared_ptr<const Catalog> ServerKnowledge::catalog_of(const std::string& database) {
  const std::lock_guard lock(mutex_);
  if (!catalogs_.contains(database) && catalogs_.size() >= kMaxDatabases) return nullptr;
  Known& known = catalogs_[database];
  if (!known.wanted && (!known.catalog || Clock::now() - known.read_at > settings_.catalog_age)) {
    known.wanted = true;
    asked_.notify_all();
  }
  return known.catalog;
}

Fix ServerKnowledge::advise(const AdviceRequest& request, const std::string& database) {
  // Only what an index mends is the server's to judge.
  Fix fix = advisers_.advise(request, nullptr);
  const bool of_plan = request.worst != nullptr && request.worst->plan != nullptr;
  if (request.query == nullptr || (!fix.index && !of_plan)) return fix;
  const std::shared_ptr<const Catalog> catalog = catalog_of(database);
  if (catalog == nullptr) return fix;
  fix = advisers_.advise(request, catalog.get());
  if (!fix.index || fix.sql.empty() || !settings_.hypopg || !can_be_tried(fix)) return fix;

  const std::lock_guard lock(mutex_);
  const Question* question = question_for(request, database, fix, catalog.get());
  if (question == nullptr || !question->outcome) return fix;
  if (question->outcome->kind == TrialOutcome::Kind::kVerified) {
    if (advisers_.create_sql(question->chosen) != fix.sql) {
      Observation better = *request.worst;
      better.index = question->chosen;
      AdviceRequest again = request;
      again.worst = &better;
      fix = advisers_.advise(again, catalog.get());
    }
    fix.verified = question->outcome->verification;
  } else {
    fix.advice += " HypoPG: " + question->outcome->why + ".";
  }
  return fix;
}

/// With the lock held.
const ServerKnowledge::Question* ServerKnowledge::question_for(const AdviceRequest& request,
                                                               const std::string& database,
                                                               const Fix& fix,
                                                               const Catalog* catalog) {
  const std::string key = key_of(request, database, fix);
  auto known = questions_.find(key);
  if (known == questions_.end()) {
    if (questions_.size() >= kMaxQuestions) return nullptr;
    Question question;
    question.database = database;
    question.query = request.query;
    question.of_trigger =
        request.worst != nullptr && request.worst->evidence.contains("trigger_ms");
    if (request.remedy == Remedy::kAddIndex) {
      for (IndexAdvice& index : advisers_.candidates(request, catalog)) {
        if (question.candidates.size() == kMaxCandidates) break;
        question.candidates.push_back({index, advisers_.create_sql(index)});
      }
    }
    if (question.candidates.empty()) {
      question.candidates.push_back({*fix.index, advisers_.create_sql(*fix.index)});
    }
    known = questions_.emplace(key, std::move(question)).first;
  }
  Question& question = known->second;
  const bool old = Clock::now() - question.asked_at > settings_.trial_age;
  if (!question.waiting && (!question.outcome || old)) {
    question.waiting = true;
    asked_.notify_all();
  }
  return &question;
}

void ServerKnowledge::work(const std::stop_token& stop) {
  std::chrono::milliseconds backoff{0};
  std::string database;  // that was asked last
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex_);
      asked_.wait(lock, stop, [&] { return next_database(database); });
    }
    if (stop.stop_requested()) return;
    const auto error = ask(database, stop);
    std::unique_lock lock(mutex_);
    problem_ = error ? error->message : "";
    if (!error) {
      backoff = std::chrono::milliseconds(0);
      continue;
    }
    backoff = std::clamp(2 * backoff, settings_.first_backoff, settings_.max_backoff);
    asked_.wait_for(lock, stop, backoff, [] { return false; });
  }
}

/// With the lock held.  In turn: one that cannot be asked keeps no other from being asked.
bool ServerKnowledge::next_database(std::string& database) {
  std::set<std::string_view> wanted;
  for (const auto& [name, known] : catalogs_) {
    if (known.wanted) wanted.insert(name);
  }
  for (const auto& [key, question] : questions_) {
    if (question.waiting) wanted.insert(question.database);
  }
  if (wanted.empty()) return false;
  const auto next = wanted.upper_bound(database);
  database = std::string(next == wanted.end() ? *wanted.begin() : *next);
  return true;
}

/// All that is wanted of one database, over one connection.
std::optional<DatabaseError> ServerKnowledge::ask(const std::string& database,
                                                  const std::stop_token& stop) {
  const std::unique_ptr<Database> connection = connect_(database);
  const auto in_use = [this](Database* now) {
    const std::lock_guard lock(mutex_);
    asking_ = now;
  };
  in_use(connection.get());
  std::optional<DatabaseError> error = read_into(*connection, database);
  while (!error && !stop.stop_requested()) {
    std::string key;
    Question question;
    {
      const std::lock_guard lock(mutex_);
      const auto next = std::find_if(questions_.begin(), questions_.end(), [&](const auto& entry) {
        return entry.second.waiting && entry.second.database == database;
      });
      if (next == questions_.end()) break;
      key = next->first;
      question = next->second;
    }
    error = answer(*connection, key, std::move(question));
  }
  in_use(nullptr);
  return error;
}

std::optional<DatabaseError> ServerKnowledge::read_into(Database& connection,
                                                        const std::string& database) {
  {
    const std::lock_guard lock(mutex_);
    if (!catalogs_[database].wanted) return std::nullopt;
  }
  auto catalog = read_catalog(connection);
  if (auto* error = std::get_if<DatabaseError>(&catalog)) return std::move(*error);
  const std::lock_guard lock(mutex_);
  catalogs_[database] = {std::make_shared<const Catalog>(std::move(std::get<Catalog>(catalog))),
                         Clock::now(), false};
  ++news_;
  return std::nullopt;
}

std::optional<DatabaseError> ServerKnowledge::answer(Database& connection, const std::string& key,
                                                     Question question) {
  std::optional<TrialOutcome> best;
  for (const Candidate& candidate : question.candidates) {
    auto outcome = try_index(
        connection, {question.query, candidate.index, candidate.create_sql, question.of_trigger},
        parser_);
    if (auto* error = std::get_if<DatabaseError>(&outcome)) return std::move(*error);
    auto& tried = std::get<TrialOutcome>(outcome);
    const bool verified = tried.kind == TrialOutcome::Kind::kVerified;
    const bool better =
        !best ||
        (verified && (best->kind != TrialOutcome::Kind::kVerified ||
                      tried.verification.cost_after < kSame * best->verification.cost_after));
    if (!better) continue;
    best = std::move(tried);
    question.chosen = candidate.index;
  }
  question.outcome = std::move(best);
  question.asked_at = Clock::now();
  question.waiting = false;
  const std::lock_guard lock(mutex_);
  questions_[key] = std::move(question);
  ++news_;
  return std::nullopt;
}

}  // namespace ectoscope
