// A server that answers as it is told to, for tests.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/database.h"

namespace ectoscope {

class FakeDatabase final : public Database {
 public:
  using Field = std::optional<std::string>;
  using Rows = std::vector<std::vector<Field>>;

  struct Answer {
    Rows rows;
    std::optional<DatabaseError> error;  // after the rows
  };

  /// Statements that contain `part` get `answer`; of several parts that fit, the one told last.
  void answer(const std::string& part, Rows rows) {
    told_.emplace_back(part, Answer{std::move(rows), {}});
  }
  void answer(const std::string& part, DatabaseError error) {
    told_.emplace_back(part, Answer{{}, std::move(error)});
  }
  void answer(const std::string& part, Answer answer) {
    told_.emplace_back(part, std::move(answer));
  }

  /// begin() fails with it until it is told nullopt.
  void refuse(std::optional<DatabaseError> error) { refused_ = std::move(error); }

  Begun begin() override {
    ++begun_;
    if (refused_) return {nullptr, *refused_};
    return {std::make_unique<Transaction>(*this), {}};
  }
  void disconnect() override { ++disconnected_; }
  void interrupt() override {}
  [[nodiscard]] std::string name() const override { return "fake@db:5432/shop"; }

  [[nodiscard]] const std::vector<std::string>& asked() const { return asked_; }
  [[nodiscard]] int begun() const { return begun_; }
  [[nodiscard]] int disconnected() const { return disconnected_; }

 private:
  class Transaction final : public ReadTransaction {
   public:
    explicit Transaction(FakeDatabase& database) : database_(database) {}

    std::optional<DatabaseError> run(std::string_view sql, std::span<const std::string> parameters,
                                     const DatabaseRowHandler& on_row) override {
      std::string asked(sql);
      for (const std::string& parameter : parameters)
        asked += "\n" + parameter;
      database_.asked_.push_back(asked);
      const auto& told = database_.told_;
      for (auto it = told.rbegin(); it != told.rend(); ++it) {
        if (asked.find(it->first) == std::string::npos) continue;
        for (const auto& row : it->second.rows) {
          const std::vector<std::optional<std::string_view>> fields(row.begin(), row.end());
          on_row(fields);
        }
        return it->second.error;
      }
      return std::nullopt;
    }

    std::optional<DatabaseError> stream(std::string_view select,
                                        const DatabaseRowHandler& on_row) override {
      return run(select, {}, on_row);
    }

   private:
    FakeDatabase& database_;
  };

  std::deque<std::pair<std::string, Answer>> told_;
  std::optional<DatabaseError> refused_;
  std::vector<std::string> asked_;
  int begun_ = 0;
  int disconnected_ = 0;
};

}  // namespace ectoscope
