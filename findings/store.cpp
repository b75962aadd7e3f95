#include "findings/store.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <system_error>

namespace ectoscope {
namespace {

constexpr Micros kHour{3'600'000'000};
constexpr size_t kMostDeploys = 1000;
constexpr Micros kFirstBackoff{1'000'000};
constexpr Micros kLongestBackoff{30'000'000};

void insert(const Deploy& deploy, std::vector<Deploy>& into) {
  const auto newer = [](const Deploy& left, const Deploy& right) { return left.at > right.at; };
  into.insert(std::upper_bound(into.begin(), into.end(), deploy, newer), deploy);
  if (into.size() > kMostDeploys) into.resize(kMostDeploys);
}

}  // namespace

Store::Store(std::string directory, Micros keep, const Clock& clock,
             std::function<void(const std::string&)> tell)
    : directory_(std::move(directory)), keep_(keep), clock_(clock), tell_(std::move(tell)) {
  if (directory_.empty()) return;
  path_ = directory_ + "/ectoscope.db";
  const std::lock_guard lock(mutex_);
  open_locked();
  unread_ = !database_;
}

Store::~Store() = default;

EventTime Store::oldest_hour() const {
  return clock_.wall() - keep_;
}

void Store::open_locked() {
  std::error_code error;
  std::filesystem::create_directories(directory_, error);
  if (error) {
    failed({StoreTrouble::Kind::kUnusable,
            directory_ + ": cannot be made: " + error.message() +
                "; make it, writable for this process' user, or choose another state.directory"});
    return;
  }
  auto opened = StoreDatabase::open(path_);
  if (!opened.database && opened.trouble.kind == StoreTrouble::Kind::kCorrupt) {
    problem_ = opened.trouble.what;
    set_aside();
    opened = StoreDatabase::open(path_);
  }
  database_ = std::move(opened.database);
  if (database_ && !deploys_read_) read_deploys();
  if (!database_) {
    in_use_ = opened.trouble.kind == StoreTrouble::Kind::kInUse;
    failed(opened.trouble);
  }
}

/// The damaged file stays for whoever wants to look at it.
void Store::set_aside() {
  database_.reset();
  ++renewals_;
  deploys_waiting_ = !deploys_.empty();
  const auto stamp =
      std::chrono::duration_cast<std::chrono::seconds>(clock_.wall().time_since_epoch());
  const std::string aside = path_ + ".damaged-" + std::to_string(stamp.count());
  std::error_code error;
  for (const char* suffix : {"-wal", "-shm"})
    std::filesystem::remove(path_ + suffix, error);
  std::filesystem::rename(path_, aside, error);
  tell_(path_ + ": damaged; it was set aside as " + aside +
        " and a new one begun: findings of earlier runs are in the old one only");
}

void Store::failed(const StoreTrouble& trouble) {
  backoff_ = backoff_ == Micros(0) ? kFirstBackoff : std::min(backoff_ * 2, kLongestBackoff);
  next_try_ = clock_.steady() + backoff_;
  if (problem_ != trouble.what) tell_(trouble.what + "; it goes on in memory until then");
  problem_ = trouble.what;
}

StoredServer Store::load(const std::string& server) {
  const std::lock_guard lock(mutex_);
  StoredServer stored;
  stored.server = server;
  if (database_) {
    if (const auto trouble = database_->read(server, oldest_hour(), stored)) {
      stored = {};
      stored.server = server;
      if (trouble->kind == StoreTrouble::Kind::kCorrupt) {
        set_aside();
        open_locked();
      } else {
        failed(*trouble);
        database_.reset();
        unread_ = true;
      }
    }
  }
  if (const auto waiting = waiting_.find(server); waiting != waiting_.end())
    lay_over(waiting->second, stored);
  return stored;
}

void Store::commit(StoredServer changes) {
  const std::lock_guard lock(mutex_);
  if (found_late_) return;
  Waiting& waiting = waiting_[changes.server];
  merge(std::move(changes), waiting);
  if (!directory_.empty() && clock_.steady() >= next_try_) write_locked();
  forget_old_hours();
}

/// What waits for long, or for good where there is no file.
void Store::forget_old_hours() {
  const EventTime oldest = oldest_hour();
  if (hours_from_ != EventTime::min() && oldest - hours_from_ < kHour) return;
  hours_from_ = oldest;
  for (auto& [server, waiting] : waiting_)
    std::erase_if(waiting.hours, [&](const auto& hour) { return hour.first.second < oldest; });
}

void Store::retry() {
  const std::lock_guard lock(mutex_);
  if (!problem_.empty() && clock_.steady() >= next_try_) write_locked();
}

bool Store::found_late() const {
  const std::lock_guard lock(mutex_);
  return found_late_;
}

void Store::take_up() {
  const std::lock_guard lock(mutex_);
  found_late_ = false;
}

/// The log can be read again from where the file says; what the file holds cannot be had elsewhere.
void Store::look_at_unread() {
  unread_ = false;
  if (!database_->in_use_before()) return;
  waiting_.clear();
  found_late_ = true;
  tell_(path_ + ": can be read again; it goes on from there");
}

bool Store::flush() {
  const std::lock_guard lock(mutex_);
  return directory_.empty() || write_locked();
}

bool Store::write_locked() {
  if (!database_) open_locked();
  if (!database_) return false;
  if (unread_) look_at_unread();
  for (auto it = waiting_.begin(); it != waiting_.end(); it = waiting_.erase(it)) {
    const auto trouble = database_->write(collect(it->first, it->second), oldest_hour());
    if (!trouble) continue;
    if (trouble->kind == StoreTrouble::Kind::kCorrupt) {
      set_aside();
    } else {
      database_.reset();  // with its locks and its half-written log
    }
    failed(*trouble);
    return false;
  }
  for (auto it = acknowledgements_.begin(); it != acknowledgements_.end();
       it = acknowledgements_.erase(it)) {
    if (const auto trouble = database_->acknowledge(it->first, it->second)) {
      failed(*trouble);
      return false;
    }
  }
  if (!write_deploys_locked()) return false;
  if (!problem_.empty()) tell_(path_ + ": written again");
  problem_.clear();
  backoff_ = Micros(0);
  return true;
}

void Store::acknowledge(const std::string& finding, const Acknowledgement& acknowledgement) {
  const std::lock_guard lock(mutex_);
  acknowledgements_[finding] = acknowledgement;
  if (!directory_.empty() && clock_.steady() >= next_try_) write_locked();
}

std::vector<StoredHour> Store::hours(const std::string& finding) {
  const std::lock_guard lock(mutex_);
  std::vector<StoredHour> hours;
  if (database_) database_->read_hours(finding, hours);
  for (const auto& [server, waiting] : waiting_) {
    auto hour = waiting.hours.lower_bound({finding, EventTime::min()});
    for (; hour != waiting.hours.end() && hour->first.first == finding; ++hour) {
      std::erase_if(hours, [&](const StoredHour& old) { return old.hour == hour->first.second; });
      hours.push_back(hour->second);
    }
  }
  std::sort(hours.begin(), hours.end(),
            [](const StoredHour& left, const StoredHour& right) { return left.hour < right.hour; });
  return hours;
}

void Store::deployed(const Deploy& deploy) {
  const std::lock_guard lock(mutex_);
  insert(deploy, deploys_);
  deploys_waiting_ = true;
  if (!directory_.empty() && clock_.steady() >= next_try_) write_locked();
}

/// Of the file that could be opened only now they join those that were told meanwhile.
void Store::read_deploys() {
  std::vector<Deploy> stored;
  if (const auto trouble = database_->read_deploys(stored)) return tell_(trouble->what);
  deploys_read_ = true;
  for (const Deploy& deploy : stored)
    insert(deploy, deploys_);
}

bool Store::write_deploys_locked() {
  if (!deploys_waiting_) return true;
  if (const auto trouble = database_->write_deploys(deploys_)) {
    failed(*trouble);
    return false;
  }
  deploys_waiting_ = false;
  return true;
}

std::vector<Deploy> Store::deploys() const {
  const std::lock_guard lock(mutex_);
  return deploys_;
}

uint64_t Store::renewals() const {
  const std::lock_guard lock(mutex_);
  return renewals_;
}

std::string Store::problem() const {
  const std::lock_guard lock(mutex_);
  return problem_;
}

void Store::merge(StoredServer changes, Waiting& into) {
  for (SourceCheckpoint& source : changes.sources) {
    const std::string pattern = source.pattern;
    into.sources[pattern] = std::move(source);
  }
  for (const std::string& id : changes.forgotten) {
    into.findings.erase(id);
    into.forgotten.insert(id);
    std::erase_if(into.hours, [&](const auto& hour) { return hour.first.first == id; });
  }
  for (StoredFinding& finding : changes.findings) {
    const std::string id = finding.id;
    into.findings[id] = std::move(finding);
  }
  for (StoredHour& hour : changes.hours) {
    const auto key = std::pair(hour.finding, hour.hour);
    into.hours[key] = std::move(hour);
  }
  for (StoredStatement& statement : changes.statements) {
    const auto key = std::pair(statement.database, statement.text);
    into.statements[key] = std::move(statement);
  }
}

StoredServer Store::collect(const std::string& server, const Waiting& waiting) {
  StoredServer all;
  all.server = server;
  for (const auto& [pattern, source] : waiting.sources)
    all.sources.push_back(source);
  for (const auto& [id, finding] : waiting.findings)
    all.findings.push_back(finding);
  all.forgotten.assign(waiting.forgotten.begin(), waiting.forgotten.end());
  std::erase_if(all.forgotten,
                [&](const std::string& id) { return waiting.findings.contains(id); });
  for (const auto& [key, hour] : waiting.hours)
    all.hours.push_back(hour);
  for (const auto& [key, statement] : waiting.statements)
    all.statements.push_back(statement);
  return all;
}

void Store::lay_over(const Waiting& waiting, StoredServer& stored) {
  const StoredServer newer = collect(stored.server, waiting);
  std::erase_if(stored.sources, [&](const SourceCheckpoint& source) {
    return waiting.sources.contains(source.pattern);
  });
  std::erase_if(stored.findings, [&](const StoredFinding& finding) {
    return waiting.findings.contains(finding.id) || waiting.forgotten.contains(finding.id);
  });
  std::erase_if(stored.hours, [&](const StoredHour& hour) {
    return waiting.hours.contains({hour.finding, hour.hour});
  });
  std::erase_if(stored.statements, [&](const StoredStatement& statement) {
    return waiting.statements.contains({statement.database, statement.text});
  });
  stored.sources.insert(stored.sources.end(), newer.sources.begin(), newer.sources.end());
  stored.findings.insert(stored.findings.end(), newer.findings.begin(), newer.findings.end());
  stored.hours.insert(stored.hours.end(), newer.hours.begin(), newer.hours.end());
  stored.statements.insert(stored.statements.end(), newer.statements.begin(),
                           newer.statements.end());
}

}  // namespace ectoscope
