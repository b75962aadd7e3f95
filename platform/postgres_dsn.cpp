#include "platform/postgres_dsn.h"

#include <algorithm>
#include <memory>
#include <string_view>

#include <libpq-fe.h>

#include "core/application_name.h"
#include "platform/postgres.h"
#include "platform/postgres_text.h"

namespace ectoscope {
namespace {

struct FreeMemory {
  void operator()(char* memory) const { PQfreemem(memory); }
};

/// All hosts are this machine.
bool local(const ConnectOptions& options) {
  std::string hosts = value_of(options, "host");
  if (hosts.empty()) hosts = value_of(options, "hostaddr");
  for (size_t at = 0; at <= hosts.size();) {
    const size_t end = std::min(hosts.find(',', at), hosts.size());
    const std::string_view host = std::string_view(hosts).substr(at, end - at);
    const bool here = host.empty() || host[0] == '/' || host[0] == '@' || host == "localhost" ||
                      host == "::1" || host.starts_with("127.");
    if (!here) return false;
    at = end + 1;
  }
  return true;
}

}  // namespace

Result<ConnectOptions> read_dsn(const std::string& dsn) {
  char* raw_message = nullptr;
  PQconninfoOption* parsed = PQconninfoParse(dsn.c_str(), &raw_message);
  const std::unique_ptr<char, FreeMemory> message(raw_message);
  if (parsed == nullptr) {
    return Error{"the DSN cannot be read: " +
                 without_quoted(one_line(message ? message.get() : "out of memory", "")) +
                 "; write host=db1 user=ectoscope dbname=shop or "
                 "postgresql://ectoscope@db1/shop, with single quotes around values that have "
                 "blanks"};
  }
  ConnectOptions options;
  for (const PQconninfoOption* option = parsed; option->keyword != nullptr; ++option) {
    if (option->val != nullptr) options[option->keyword] = option->val;
  }
  PQconninfoFree(parsed);
  return options;
}

std::string value_of(const ConnectOptions& options, const std::string& key) {
  const auto found = options.find(key);
  return found == options.end() ? std::string() : found->second;
}

void complete_options(const std::string& database, ConnectOptions& options) {
  if (!database.empty()) options["dbname"] = database;
  options["application_name"] = kApplicationName;
  options["client_encoding"] = "UTF8";
  if (!options.contains("service")) {
    options.emplace("sslmode", local(options) ? "prefer" : "verify-full");
  }
  options.emplace("keepalives_idle", "30");
  options.emplace("tcp_user_timeout", "15000");
}

std::string describe_server(const ConnectOptions& options) {
  std::string text = value_of(options, "user");
  if (!text.empty()) text += "@";
  std::string host = value_of(options, "host");
  if (host.empty()) host = value_of(options, "hostaddr");
  const std::string port = value_of(options, "port");
  text += (host.empty() ? "local socket" : host) + ":" + (port.empty() ? "5432" : port);
  const std::string database = value_of(options, "dbname");
  return database.empty() ? text : text + "/" + database;
}

std::string problem_with_dsn(const std::string& dsn) {
  const auto options = read_dsn(dsn);
  return options.ok() ? std::string() : options.error().message;
}

}  // namespace ectoscope
