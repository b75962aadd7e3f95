#include "outputs/http_routes.h"

#include <array>
#include <httplib.h>
#include <optional>
#include <utility>

#include "outputs/api_json.h"
#include "outputs/assets.h"
#include "outputs/deploys_api.h"
#include "outputs/detector_pages.h"
#include "outputs/ignored_section.h"
#include "outputs/pages.h"
#include "outputs/person_said.h"
#include "outputs/same_site.h"

namespace ectoscope {
namespace {

constexpr int kSeeOther = 303;
constexpr int kBadRequest = 400;
constexpr int kForbidden = 403;
constexpr int kNotFound = 404;
constexpr int kMethodNotAllowed = 405;
constexpr int kServerError = 500;
constexpr int kUnavailable = 503;
constexpr const char* kPlain = "text/plain; charset=utf-8";
constexpr const char* kHtml = "text/html; charset=utf-8";
constexpr const char* kJson = "application/json; charset=utf-8";
constexpr std::string_view kFindings = "/findings/";
constexpr std::string_view kApiFindings = "/api/v1/findings/";
constexpr std::string_view kStatic = "/static/";
constexpr std::string_view kDocs = "/docs/";

/// By wish.
constexpr std::array<const char*, 3> kNoSuch = {
    "there is no finding of this id", "there is no finding of this id",
    "it is not ignored from its page: take it out of the ignore rules that cover it"};

struct Verb {
  std::string_view suffix;  // of a finding's path
  HttpRoutes::Wish wish;
};
constexpr std::array<Verb, 3> kVerbs = {{{"/ack", HttpRoutes::Wish::kAcknowledge},
                                         {"/ignore", HttpRoutes::Wish::kIgnore},
                                         {"/hear", HttpRoutes::Wish::kHearAgain}}};

/// "ID/ack" taken apart; nothing when it ends in none of the verbs.
std::optional<std::pair<std::string, HttpRoutes::Wish>> wish_of(std::string_view path) {
  for (const Verb& verb : kVerbs) {
    if (!path.ends_with(verb.suffix)) continue;
    return std::pair(std::string(path.substr(0, path.size() - verb.suffix.size())), verb.wish);
  }
  return std::nullopt;
}

}  // namespace

struct HttpRoutes::Call {
  const httplib::Request& request;
  httplib::Response& response;
  std::shared_ptr<const Snapshot> snapshot;
  std::string_view path;

  [[nodiscard]] bool reads() const { return request.method == "GET" || request.method == "HEAD"; }

  void answer(int status, const std::string& text, const char* type) const {
    response.status = status;
    response.set_content(text, type);
  }
  void json_error(int status, std::string_view message) const {
    answer(status, error_json(status, message), kJson);
  }
  /// False, and answered, when the method is none of these.
  [[nodiscard]] bool allows(std::string_view methods) const {
    if (methods.find(request.method == "HEAD" ? "GET" : request.method) != std::string_view::npos) {
      return true;
    }
    response.set_header("Allow", std::string(methods));
    json_error(kMethodNotAllowed, "this path takes " + std::string(methods));
    return false;
  }
  /// Why this must not change anything; nothing when it may.
  [[nodiscard]] std::optional<std::string> refusal(BodyKind body) const {
    const std::string host = request.get_header_value("Host");
    const std::string origin = request.get_header_value("Origin");
    const std::string site = request.get_header_value("Sec-Fetch-Site");
    const std::string type = request.get_header_value("Content-Type");
    return cross_site_problem({host, origin, site, type}, body);
  }
  [[nodiscard]] std::string kind() const { return request.get_param_value("kind"); }
  [[nodiscard]] UrlParameters parameters() const {
    return {request.params.begin(), request.params.end()};
  }
};

HttpRoutes::HttpRoutes(const HttpOptions& options, const SnapshotBoard& board, Control& control)
    : options_(options),
      page_options_{options.version, options.trace_url},
      board_(board),
      control_(control),
      metrics_({options.version, options.series_budget}) {}

bool HttpRoutes::urgent(std::string_view path) const {
  return path == options_.telemetry_path || path == "/-/healthy" || path == "/-/ready";
}

void HttpRoutes::answer(const httplib::Request& request, httplib::Response& response) {
  Call call{request, response, board_.latest(), request.path};
  if (call.path == options_.telemetry_path) {
    if (!call.allows("GET")) return;
    const MetricsText text = metrics_.scrape(*call.snapshot, request.get_header_value("Accept"));
    return call.answer(200, text.text, text.content_type.c_str());
  }
  if (call.path.starts_with("/-/")) return lifecycle(call);
  if (call.path.starts_with("/api/")) return api(call);
  if (call.path.starts_with(kStatic)) return asset(call, call.path.substr(kStatic.size()));
  if (call.path.starts_with(kDocs)) return kind_page(call, call.path.substr(kDocs.size()));
  if (call.path == "/favicon.ico") return asset(call, "icon.svg");
  page(call);
}

void HttpRoutes::lifecycle(Call& call) {
  if (call.path == "/-/healthy") {
    if (call.allows("GET")) call.answer(200, "ectoscope is healthy.\n", kPlain);
  } else if (call.path == "/-/ready") {
    if (!call.allows("GET")) return;
    // What is wrong does not keep it from serving the rest: the pages must stay in reach.
    const bool ready = call.snapshot->ready;
    std::string text = ready ? "ectoscope is ready.\n" : "ectoscope is not ready:\n";
    if (!ready) text += "- not every source was looked at yet\n";
    for (const std::string& problem : call.snapshot->problems)
      text += "- " + problem + "\n";
    call.answer(ready ? 200 : kUnavailable, text, kPlain);
  } else if (call.path == "/-/reload") {
    reload(call);
  } else {
    not_found(call);
  }
}

void HttpRoutes::reload(Call& call) {
  if (!options_.enable_lifecycle) {
    return call.answer(kForbidden,
                       "Reloading over HTTP is off: start with --web.enable-lifecycle, or send "
                       "SIGHUP.\n",
                       kPlain);
  }
  if (!call.allows("POST, PUT")) return;
  if (const auto why = call.refusal(BodyKind::kNone)) {
    return call.answer(kForbidden, *why + "\n", kPlain);
  }
  if (const auto problem = control_.reload())
    return call.answer(kServerError, *problem + "\n", kPlain);
  call.answer(200, "", kPlain);
}

void HttpRoutes::api(Call& call) {
  if (call.path == "/api/v1/findings" || call.path.starts_with(kApiFindings)) {
    return api_findings(call);
  }
  if (call.path == "/api/v1/queries") {
    if (!call.allows("GET")) return;
    const auto filter = read_query_filter(call.parameters(), {});
    if (!filter.ok()) return call.json_error(kBadRequest, filter.error().message);
    return call.answer(200, queries_json(*call.snapshot, filter.value()), kJson);
  }
  if (call.path == "/api/v1/sources") {
    if (call.allows("GET")) call.answer(200, sources_json(*call.snapshot), kJson);
    return;
  }
  if (call.path == "/api/v1/deploys") return api_deploys(call);
  if (call.path == "/api/v1/near-misses") {
    if (!call.allows("GET")) return;
    return call.answer(200, near_misses_json(control_.nearly_found(), call.kind()), kJson);
  }
  not_found(call);
}

void HttpRoutes::api_deploys(Call& call) {
  if (!call.allows(options_.deploys == nullptr ? "GET" : "GET, POST")) return;
  if (call.reads()) return call.answer(200, deploys_json(call.snapshot->deploys), kJson);
  if (const auto why = call.refusal(BodyKind::kJson)) return call.json_error(kForbidden, *why);
  const auto note = read_deploy(call.request.body);
  if (!note.ok()) return call.json_error(kBadRequest, note.error().message);
  const auto [version, application, time] = note.value();
  const auto deploy = options_.deploys->record(version, application, time);
  if (!deploy.ok()) return call.json_error(kBadRequest, deploy.error().message);
  call.answer(200, deploy_json(deploy.value()), kJson);
}

void HttpRoutes::api_findings(Call& call) {
  if (call.path.size() <= kApiFindings.size()) {
    if (!call.allows("GET")) return;
    const auto filter = read_filter(call.parameters(), {});
    if (!filter.ok()) return call.json_error(kBadRequest, filter.error().message);
    return call.answer(200, findings_json(*call.snapshot, filter.value(), options_.version), kJson);
  }
  const std::string_view rest = call.path.substr(kApiFindings.size());
  if (const auto wish = wish_of(rest)) return api_change(call, wish->first, wish->second);
  if (!call.allows("GET")) return;
  const std::string id(rest);
  const auto tracked = find_finding(*call.snapshot, id);
  if (!tracked) return call.json_error(kNotFound, "there is no finding of this id");
  call.answer(200, finding_json(*call.snapshot, *tracked, control_.history(id), options_.version),
              kJson);
}

Result<bool> HttpRoutes::carry_out(Wish wish, const std::string& id, const PersonSaid& said) {
  if (wish == Wish::kIgnore) return control_.ignore(id, said.by, said.why);
  if (wish == Wish::kHearAgain) return control_.hear_again(id);
  return control_.acknowledge(id, said.by, said.why);
}

void HttpRoutes::api_change(Call& call, const std::string& id, Wish wish) {
  if (!call.allows("POST")) return;
  if (const auto why = call.refusal(BodyKind::kJson)) return call.json_error(kForbidden, *why);
  const auto said = said_in_json(call.request.body);
  const std::string problem = problem_with(said, wish == Wish::kIgnore);
  if (!problem.empty()) return call.json_error(kBadRequest, problem);
  const auto done = carry_out(wish, id, *said);
  if (!done.ok()) return call.json_error(kServerError, done.error().message);
  if (!done.value()) return call.json_error(kNotFound, kNoSuch.at(static_cast<size_t>(wish)));
  call.answer(200, "{\"done\": true}\n", kJson);
}

void HttpRoutes::page(Call& call) {
  if (call.path.starts_with(kFindings)) {
    const auto wish = wish_of(call.path.substr(kFindings.size()));
    if (wish) return form_change(call, wish->first, wish->second);
  }
  if (!call.allows("GET")) return;
  const Snapshot& snapshot = *call.snapshot;
  const auto refuse = [&](const Error& error) {
    call.answer(kBadRequest, message_page(snapshot, "Wrong address", error.message, page_options_),
                kHtml);
  };
  if (call.path == "/") {
    const auto filter = read_filter(call.parameters(), default_page_filter());
    if (!filter.ok()) return refuse(filter.error());
    return call.answer(200, findings_page(snapshot, filter.value(), page_options_), kHtml);
  }
  if (call.path == "/queries") {
    const auto filter = read_query_filter(call.parameters(), {});
    if (!filter.ok()) return refuse(filter.error());
    return call.answer(200, queries_page(snapshot, filter.value(), page_options_), kHtml);
  }
  if (call.path == "/sources")
    return call.answer(200, sources_page(snapshot, page_options_), kHtml);
  if (call.path == "/why") {
    return call.answer(200, why_page(snapshot, control_.nearly_found(), call.kind(), page_options_),
                       kHtml);
  }
  if (!call.path.starts_with(kFindings)) return not_found(call);
  finding(call, std::string(call.path.substr(kFindings.size())));
}

void HttpRoutes::finding(Call& call, const std::string& id) {
  const Snapshot& snapshot = *call.snapshot;
  const auto tracked = find_finding(snapshot, id);
  if (!tracked) {
    const Ignoring ignoring = all_ignored(snapshot);
    for (const IgnoredFinding& ignored : ignoring.findings) {
      if (ignored.finding.id != id) continue;
      return call.answer(200, ignored_page(snapshot, ignored, page_options_), kHtml);
    }
    return call.answer(kNotFound,
                       message_page(snapshot, "No such finding",
                                    "It was forgotten long after it was mended, or the address is "
                                    "not whole.",
                                    page_options_),
                       kHtml);
  }
  call.answer(200, finding_page(snapshot, *tracked, control_.history(id), page_options_), kHtml);
}

void HttpRoutes::form_change(Call& call, const std::string& id, Wish wish) {
  if (!call.allows("POST")) return;
  const auto refuse = [&](int status, std::string_view text) {
    call.answer(status, message_page(*call.snapshot, "Not done", text, page_options_), kHtml);
  };
  if (const auto why = call.refusal(BodyKind::kForm)) return refuse(kForbidden, *why);
  const auto said = said_in_form(call.request.body);
  const std::string problem = problem_with(said, wish == Wish::kIgnore);
  if (!problem.empty()) return refuse(kBadRequest, problem);
  const auto done = carry_out(wish, id, *said);
  if (!done.ok()) return refuse(kServerError, done.error().message);
  if (!done.value()) return refuse(kNotFound, kNoSuch.at(static_cast<size_t>(wish)));
  call.answer(kSeeOther, "", kPlain);
  call.response.set_header("Location", kFindings.data() + url_escaped(id));
}

void HttpRoutes::asset(Call& call, std::string_view name) {
  if (!call.allows("GET")) return;
  for (const Asset& known : assets()) {
    if (known.name != name) continue;
    call.answer(200, std::string(known.bytes), std::string(known.content_type).c_str());
    // With ?v= the address changes when the content does.
    call.response.set_header("Cache-Control", call.request.has_param("v")
                                                  ? "public, max-age=31536000, immutable"
                                                  : "public, max-age=3600");
    return;
  }
  not_found(call);
}

void HttpRoutes::kind_page(Call& call, std::string_view kind) {
  if (!call.allows("GET")) return;
  const std::string_view markdown = detector_page(kind);
  if (markdown.empty()) return not_found(call);
  call.answer(200, std::string(markdown), kPlain);
}

void HttpRoutes::not_found(Call& call) {
  if (call.path.starts_with("/api/")) return call.json_error(kNotFound, "no such path");
  if (call.path.starts_with("/-/") || call.path.starts_with(kStatic)) {
    return call.answer(kNotFound, "no such path\n", kPlain);
  }
  call.answer(kNotFound,
              message_page(*call.snapshot, "No such page", "The address is none of ectoscope's.",
                           page_options_),
              kHtml);
}

}  // namespace ectoscope
