// Deploys over HTTP.
#pragma once

#include <string>
#include <vector>

#include "core/deploys.h"
#include "core/result.h"
#include "outputs/json_writer.h"

namespace ectoscope {

/// What POST /api/v1/deploys is sent.
struct DeployNote {
  std::string version;
  std::string application;  // empty: all of them
  std::string time;         // empty: now
};

/// The Error says what to send.
Result<DeployNote> read_deploy(const std::string& body);

/// An object, or null.
void write_deploy(JsonWriter& json, const Deploy* deploy);

std::string deploy_json(const Deploy& deploy);
std::string deploys_json(const std::vector<Deploy>& deploys);

/// "1.4.2 (shop)"
std::string deploy_name(const Deploy& deploy);

}  // namespace ectoscope
