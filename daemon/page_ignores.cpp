#include "daemon/page_ignores.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <ostream>
#include <utility>

#include "config/consequence.h"
#include "daemon/output_file.h"
#include "daemon/suppressions.h"

namespace ectoscope {
namespace {

constexpr size_t kMostRules = 1000;  // a file has no more

/// JSON is YAML, and its strings have one way to be written.
std::string written(const std::vector<IgnoreRule>& rules) {
  auto list = nlohmann::ordered_json::array();
  for (const IgnoreRule& rule : rules)
    list.push_back({{"id", rule.id}, {"reason", rule.reason}, {"owner", rule.owner}});
  constexpr int kIndent = 2;
  return "# Written by ectoscope when a finding's page is told to ignore it.\n" +
         nlohmann::ordered_json{{"ignore", std::move(list)}}.dump(
             kIndent, ' ', false, nlohmann::ordered_json::error_handler_t::replace) +
         "\n";
}

}  // namespace

PageIgnores::PageIgnores(Files& files, const std::string& directory) : files_(files) {
  if (directory.empty()) return;
  path_ = (std::filesystem::path(directory) / "ignored.yaml").string();
  std::error_code error;
  if (!std::filesystem::exists(path_, error)) return;
  auto read = load_ignore_file(files_, path_);
  if (read.ok()) {
    rules_ = std::move(read.value());
  } else {
    problem_ = with_consequence(read.error().message, kNoneUsed);
  }
}

std::optional<Error> PageIgnores::keep(std::vector<IgnoreRule> rules) {
  if (!problem_.empty()) return Error{problem_};
  if (!path_.empty()) {
    auto failed = write_file(path_, [&rules](std::ostream& out) { out << written(rules); });
    if (failed) return failed;
    // Read as the next start will, with the lines that messages name.
    auto read = load_ignore_file(files_, path_);
    if (!read.ok()) return read.error();
    rules = std::move(read.value());
  }
  rules_ = std::move(rules);
  return std::nullopt;
}

std::optional<Error> PageIgnores::add(const std::string& finding_id, const std::string& by,
                                      const std::string& why) {
  std::vector<IgnoreRule> rules = rules_;
  std::erase_if(rules, [&](const IgnoreRule& rule) { return rule.id == finding_id; });
  if (rules.size() >= kMostRules) {
    return Error{std::to_string(kMostRules) +
                 " findings are ignored from the pages: write rules for kinds, tables or routes "
                 "into the configuration instead"};
  }
  IgnoreRule rule;
  rule.where = "a finding's page";
  rule.id = finding_id;
  rule.reason = why;
  rule.owner = by;
  rules.push_back(std::move(rule));
  return keep(std::move(rules));
}

Result<bool> PageIgnores::remove(const std::string& finding_id) {
  std::vector<IgnoreRule> rules = rules_;
  if (std::erase_if(rules, [&](const IgnoreRule& rule) { return rule.id == finding_id; }) == 0)
    return false;
  if (auto error = keep(std::move(rules))) return *error;
  return true;
}

}  // namespace ectoscope
