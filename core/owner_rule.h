// Whose a finding is.
#pragma once

#include <string>

namespace ectoscope {

/// A finding is the team's when it fits every glob that is given; at least one is.
struct OwnerRule {
  std::string table;        // over Finding::tables[0]
  std::string route;        // that one of Finding::routes fits
  std::string application;  // that one of Finding::applications fits
  std::string team;         // never empty

  bool operator==(const OwnerRule&) const = default;
};

}  // namespace ectoscope
