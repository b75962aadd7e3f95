// A DSN taken apart, and completed with what is safe.
#pragma once

#include <map>
#include <string>

#include "core/result.h"

namespace ectoscope {

/// By libpq's keywords.  May hold a password.
using ConnectOptions = std::map<std::string, std::string>;

/// The error shows nothing of the DSN's values.
Result<ConnectOptions> read_dsn(const std::string& dsn);

std::string value_of(const ConnectOptions& options, const std::string& key);

/// Sets what every connection of ours has.  `database` replaces the DSN's where it is not empty.
void complete_options(const std::string& database, ConnectOptions& options);

/// "ectoscope@db1:5432/shop".
std::string describe_server(const ConnectOptions& options);

}  // namespace ectoscope
