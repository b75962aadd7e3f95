// What outlives the process: findings with their history, and the place in each log.
//
// Everything goes to memory first and to the file after it.  Where the file can't be written, what
// is to be written waits, later states in place of earlier ones, and is tried again.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/deploys.h"
#include "findings/store_database.h"
#include "findings/stored.h"

namespace ectoscope {

/// Threads: any.
class Store {
 public:
  /// Keeps nothing in a file where `directory` is empty.  `clock` must outlive it.  `tell` gets
  /// what a person should know, a line each.
  Store(std::string directory, Micros keep, const Clock& clock,
        std::function<void(const std::string&)> tell);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  /// Another process has the file.  Asked once, before anything else.
  [[nodiscard]] bool in_use() const { return in_use_; }

  /// What is known of a server.
  StoredServer load(const std::string& server);

  /// Takes what changed since the last commit of this server; its sources whole.
  void commit(StoredServer changes);

  void acknowledge(const std::string& finding, const Acknowledgement& acknowledgement);
  [[nodiscard]] std::vector<StoredHour> hours(const std::string& finding);

  void deployed(const Deploy& deploy);
  /// The newest first; the oldest are forgotten beyond 1000.
  [[nodiscard]] std::vector<Deploy> deploys() const;

  /// How often a damaged file was given up while it was in use: all is to be stored again then.
  [[nodiscard]] uint64_t renewals() const;

  /// Tries to write what waits, if it is time to; for when nobody commits.
  void retry();

  /// The file of earlier processes could not be read at the start and now can: what is committed is
  /// thrown away until take_up(), after which all servers are to be loaded again.
  [[nodiscard]] bool found_late() const;
  void take_up();

  /// Tries to write what waits, whether it is time or not.  False when something still waits.
  bool flush();

  /// Empty while all is written.
  [[nodiscard]] std::string problem() const;

 private:
  /// What waits of one server.
  struct Waiting {
    std::map<std::string, SourceCheckpoint> sources;
    std::map<std::string, StoredFinding> findings;
    std::set<std::string> forgotten;
    std::map<std::pair<std::string, EventTime>, StoredHour> hours;
    std::map<std::pair<std::string, std::string>, StoredStatement> statements;
  };

  void open_locked();
  void look_at_unread();
  bool write_locked();
  void failed(const StoreTrouble& trouble);
  void set_aside();
  void read_deploys();
  bool write_deploys_locked();
  void forget_old_hours();
  [[nodiscard]] EventTime oldest_hour() const;
  static void merge(StoredServer changes, Waiting& into);
  static StoredServer collect(const std::string& server, const Waiting& waiting);
  static void lay_over(const Waiting& waiting, StoredServer& stored);

  std::string directory_;
  std::string path_;
  Micros keep_;
  const Clock& clock_;
  std::function<void(const std::string&)> tell_;
  bool in_use_ = false;

  mutable std::mutex mutex_;  // of what follows
  std::unique_ptr<StoreDatabase> database_;
  std::map<std::string, Waiting> waiting_;  // by server
  std::map<std::string, Acknowledgement> acknowledgements_;
  std::vector<Deploy> deploys_;  // newest first
  bool deploys_read_ = false;    // those of earlier processes are among them
  bool deploys_waiting_ = false;
  EventTime hours_from_ = EventTime::min();  // none that waits is older
  std::string problem_;
  uint64_t renewals_ = 0;
  bool unread_ = false;  // nobody knows yet what the file holds
  bool found_late_ = false;
  Micros next_try_{0};
  Micros backoff_{0};
};

}  // namespace ectoscope
