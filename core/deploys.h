// Which version of an application ran from when on, as a deployment told.
#pragma once

#include <string>
#include <vector>

#include "core/result.h"
#include "core/time.h"

namespace ectoscope {

struct Finding;

struct Deploy {
  EventTime at;
  std::string version;
  std::string application;  // as application_name has it; empty: all of them

  bool operator==(const Deploy&) const = default;
};

/// The deploy after which the finding was first seen: the last one before it of one of its
/// applications; null when none is known.  `deploys` has the newest first.
const Deploy* deploy_before(const std::vector<Deploy>& deploys, const Finding& finding);

/// Takes what deployments tell.  Threads: any.
class DeployBook {
 public:
  virtual ~DeployBook() = default;

  /// `time` is RFC 3339; empty: now.  The Error says what is wrong with it.  Told again (by another
  /// node of the application), it is the one that is known.
  virtual Result<Deploy> record(const std::string& version, const std::string& application,
                                const std::string& time) = 0;
};

}  // namespace ectoscope
