// TLS for the HTTP side: certificates read once, then given to each connection.
#pragma once

#include <memory>
#include <vector>

#include "core/time.h"
#include "core/web_access.h"
#include "outputs/channel.h"

namespace ectoscope {

/// Never changes once made.  Threads: any.
class TlsContext {
 public:
  /// Reads the files now.  Null when something is wrong, and all of it is in `problems` then, each
  /// with the file's name.
  static std::shared_ptr<TlsContext> make(const TlsSettings& settings,
                                          std::vector<KeyProblem>& problems);

  /// When our own certificate is valid.
  struct Validity {
    EventTime from;
    EventTime until;
  };
  [[nodiscard]] Validity validity() const;

  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;
  ~TlsContext();

 private:
  friend class TlsChannel;
  struct Held;

  explicit TlsContext(std::unique_ptr<Held> held);

  std::unique_ptr<Held> held_;
};

/// The server's end of a connection.  Keeps `context` alive.
std::unique_ptr<Channel> tls_channel(UniqueFd socket, std::shared_ptr<TlsContext> context);

}  // namespace ectoscope
