// What deployments told, kept in the store.
#pragma once

#include "core/clock.h"
#include "core/deploys.h"
#include "findings/store.h"

namespace ectoscope {

class StoredDeploys final : public DeployBook {
 public:
  /// Both must outlive it.
  StoredDeploys(Store& store, const Clock& clock) : store_(store), clock_(clock) {}

  Result<Deploy> record(const std::string& version, const std::string& application,
                        const std::string& time) override;

 private:
  Store& store_;
  const Clock& clock_;
};

}  // namespace ectoscope
