// Whether a text is what it seems: one statement that only reads or changes rows.
#pragma once

#include <memory>
#include <string>

namespace ectoscope {

/// Asks libpg_query, on a thread whose stack hostile text can't exhaust.
///
/// Threads: one at a time.
class SingleStatement {
 public:
  SingleStatement();
  ~SingleStatement();
  SingleStatement(const SingleStatement&) = delete;
  SingleStatement& operator=(const SingleStatement&) = delete;

  /// True for exactly one SELECT, INSERT, UPDATE or DELETE.
  bool holds(const std::string& sql);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ectoscope
