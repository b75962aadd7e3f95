// HTTP to others: one of the seams.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "core/result.h"
#include "core/time.h"

namespace ectoscope {

/// Whom to speak to, and how.  Empty: not used.
struct HttpTarget {
  std::string url;  // http or https, without credentials
  std::string username;
  std::string password;      // a secret
  std::string bearer_token;  // a secret
  std::string ca_file;       // instead of the system's
  std::string cert_file;     // our own certificate
  std::string key_file;
  std::string server_name;  // that the certificate must have; empty: the URL's host
  bool insecure_skip_verify = false;
  Micros timeout{10'000'000};  // for the whole of a request

  bool operator==(const HttpTarget&) const = default;
};

struct HttpReply {
  int status = 0;
  std::string body;  // its beginning
};

/// Threads: one at a time.
class HttpPoster {
 public:
  virtual ~HttpPoster() = default;

  /// Sends JSON to `path` below the target's URL and waits for the answer, whatever its status.  An
  /// Error when there was none; at once when `give_up` is asked for.
  virtual Result<HttpReply> post(std::string_view path, std::string_view json,
                                 const std::stop_token& give_up) = 0;
};

/// Its user makes one for each target.
using MakeHttpPoster = std::function<std::unique_ptr<HttpPoster>(const HttpTarget&)>;

}  // namespace ectoscope
