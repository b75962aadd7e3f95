// What each path answers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/control.h"
#include "core/snapshot.h"
#include "outputs/http_server.h"
#include "outputs/metrics.h"
#include "outputs/page_frame.h"

namespace httplib {
struct Request;
struct Response;
}  // namespace httplib

namespace ectoscope {

struct PersonSaid;  // outputs/person_said.h

/// Threads: any.
class HttpRoutes {
 public:
  /// `board` and `control` must outlive it.
  HttpRoutes(const HttpOptions& options, const SnapshotBoard& board, Control& control);

  /// What a person wants of a finding.
  enum class Wish : uint8_t { kAcknowledge, kIgnore, kHearAgain };

  void answer(const httplib::Request& request, httplib::Response& response);

  /// Paths that must be answered whatever else is asked.
  [[nodiscard]] bool urgent(std::string_view path) const;

  Metrics& metrics() { return metrics_; }

 private:
  struct Call;  // one request on its way to its answer

  void lifecycle(Call& call);
  void reload(Call& call);
  void api(Call& call);
  void api_findings(Call& call);
  void api_change(Call& call, const std::string& id, Wish wish);
  void api_deploys(Call& call);
  void page(Call& call);
  void finding(Call& call, const std::string& id);
  void form_change(Call& call, const std::string& id, Wish wish);
  Result<bool> carry_out(Wish wish, const std::string& id, const PersonSaid& said);
  void asset(Call& call, std::string_view name);
  /// Of a kind of finding: what it is and what to do, Markdown as text.
  void kind_page(Call& call, std::string_view kind);
  void not_found(Call& call);

  HttpOptions options_;
  PageOptions page_options_;
  const SnapshotBoard& board_;
  Control& control_;
  Metrics metrics_;
};

}  // namespace ectoscope
