// A diagnosis as a page to read.
#pragma once

#include <ostream>
#include <string>

#include "daemon/doctor_checks.h"

namespace ectoscope {

void write_diagnosis(const std::string& server, const ServerFacts& facts, const LogFacts& log,
                     const Diagnosis& diagnosis, std::ostream& out);

}  // namespace ectoscope
