#include "outputs/http_server.h"

#include <chrono>
#include <future>
#include <memory>
#include <mutex>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/outputs/raw_client.h"
#include "tests/outputs/sample_snapshot.h"

namespace ectoscope {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kId = "n_plus_one_read-5f0c2a9e7d3b1c44";
constexpr const char* kJson = "Content-Type: application/json\r\n";

class FakeControl : public Control {
 public:
  std::optional<std::string> reload() override {
    ++reloads;
    return reload_problem;
  }
  bool acknowledge(const std::string& finding_id, const std::string& by,
                   const std::string& why) override {
    if (finding_id != kId) return false;
    acknowledged = by + "|" + why;
    return true;
  }
  Result<bool> ignore(const std::string& finding_id, const std::string& by,
                      const std::string& why) override {
    if (!ignore_problem.empty()) return Error{ignore_problem};
    if (finding_id != kId) return false;
    ignored = by + "|" + why;
    return true;
  }
  Result<bool> hear_again(const std::string& finding_id) override {
    const bool known = finding_id == kId && !ignored.empty();
    if (known) ignored.clear();
    return known;
  }
  NearlyFound nearly_found() override { return nearly; }
  std::vector<HistoryHour> history(const std::string& /*finding_id*/) override {
    return {{sample_time(0), 7, Micros(1500)}};
  }

  int reloads = 0;
  std::optional<std::string> reload_problem;
  std::string acknowledged;
  std::string ignored;
  std::string ignore_problem;
  NearlyFound nearly;
};

class HttpServerTest : public testing::Test {
 protected:
  HttpServerTest() {
    options_.listen_addresses = {"127.0.0.1:0"};
    options_.version = "1.2.3";
    board_.publish(sample_snapshot());
  }

  void start() {
    server_ = std::make_unique<HttpServer>(options_, board_, control_);
    const auto error = server_->start();
    ASSERT_FALSE(error) << error->message;
  }

  std::string get(std::string_view target) { return ask(server_->port(), "GET", target); }
  std::string post(std::string_view target, std::string_view headers, std::string_view body) {
    return ask(server_->port(), "POST", target, headers, body);
  }

  HttpOptions options_;
  SnapshotBoard board_;
  FakeControl control_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, EachRouteAnswers) {
  start();
  const struct {
    const char* method;
    std::string target;
    int status;
    const char* type;
  } cases[] = {
      {"GET", "/metrics", 200, "text/plain; version=0.0.4"},
      {"GET", "/-/healthy", 200, "text/plain"},
      {"GET", "/-/ready", 200, "text/plain"},
      {"GET", "/", 200, "text/html"},
      {"HEAD", "/", 200, "text/html"},
      {"GET", "/?kind=n_plus_one_read&q=posts&state=&severity=", 200, "text/html"},
      {"GET", "/?sorted=1", 400, "text/html"},
      {"GET", std::string("/findings/") + kId, 200, "text/html"},
      {"GET", "/findings/none", 404, "text/html"},
      {"GET", "/queries", 200, "text/html"},
      {"GET", "/sources", 200, "text/html"},
      {"GET", "/why", 200, "text/html"},
      {"GET", "/api/v1/near-misses", 200, "application/json"},
      {"DELETE", "/api/v1/near-misses", 405, "application/json"},
      {"GET", "/nothing", 404, "text/html"},
      {"GET", "/static/app.css", 200, "text/css"},
      {"GET", "/static/app.js", 200, "text/javascript"},
      {"GET", "/favicon.ico", 200, "image/svg+xml"},
      {"GET", "/static/../../etc/passwd", 404, "text/plain"},
      {"GET", "/api/v1/findings", 200, "application/json"},
      {"GET", "/api/v1/findings?limit=many", 400, "application/json"},
      {"GET", std::string("/api/v1/findings/") + kId, 200, "application/json"},
      {"GET", "/api/v1/findings/none", 404, "application/json"},
      {"GET", "/api/v1/queries", 200, "application/json"},
      {"GET", "/api/v1/sources", 200, "application/json"},
      {"GET", "/api/v2", 404, "application/json"},
      {"GET", "/docs/n_plus_one_read", 200, "text/plain"},
      {"GET", "/docs/../README", 404, "text/html"},
      {"POST", "/docs/n_plus_one_read", 405, "application/json"},
      {"DELETE", "/api/v1/findings", 405, "application/json"},
      {"OPTIONS", "/", 405, "application/json"},
      {"GET", std::string("/api/v1/findings/") + kId + "/ack", 405, "application/json"},
      {"POST", "/-/reload", 403, "text/plain"},
  };
  for (const auto& [method, target, status, type] : cases) {
    const std::string answer = ask(server_->port(), method, target);
    EXPECT_EQ(status_of(answer), status) << method << " " << target << "\n" << answer;
    EXPECT_THAT(answer, HasSubstr(std::string("Content-Type: ") + type)) << target;
    EXPECT_THAT(answer, HasSubstr("X-Content-Type-Options: nosniff\r\n")) << target;
    EXPECT_THAT(answer, HasSubstr("frame-ancestors 'none'")) << target;
    EXPECT_THAT(answer, HasSubstr("Referrer-Policy: no-referrer\r\n")) << target;
  }
  EXPECT_EQ(body_of(ask(server_->port(), "HEAD", "/")), "");
}

TEST_F(HttpServerTest, NotReadySaysWhy) {
  auto snapshot = sample_snapshot();
  snapshot->ready = false;
  snapshot->problems = {"cannot read /var/log/x: add the user to the group adm"};
  board_.publish(snapshot);
  start();
  const std::string answer = get("/-/ready");
  EXPECT_EQ(status_of(answer), 503);
  EXPECT_THAT(answer, HasSubstr("- cannot read /var/log/x: add the user to the group adm\n"));
  EXPECT_THAT(get("/"), HasSubstr("add the user to the group adm"));
}

TEST_F(HttpServerTest, HostileTextStaysText) {
  start();
  for (const char* target :
       {"/?state=all", "/findings/slow_query-00000000000000ff", "/queries", "/sources",
        "/?q=%3Cscript%3Ealert(1)%3C%2Fscript%3E", "/findings/%3Cscript%3Ealert(1)"}) {
    const std::string answer = get(target);
    EXPECT_THAT(answer, Not(HasSubstr("<script>alert"))) << target;
    EXPECT_THAT(answer, Not(HasSubstr("\x1b"))) << target;
    EXPECT_THAT(answer, Not(HasSubstr("\xE2\x80\xAE"))) << target;
    EXPECT_THAT(answer, Not(HasSubstr("style=\""))) << target;  // the policy forbids it
  }
}

TEST_F(HttpServerTest, SourcesSayWhatWouldShowMore) {
  start();
  const std::string page = get("/sources");
  EXPECT_THAT(page, HasSubstr("What would show more"));
  EXPECT_THAT(page, HasSubstr("ALTER SYSTEM SET"));
  EXPECT_THAT(page, HasSubstr("deploy/ecto"));
}

TEST_F(HttpServerTest, FindingSaysItAll) {
  options_.trace_url = "https://traces.example/t/{trace_id}?x=1&y=2";
  start();
  const std::string page = get(std::string("/findings/") + kId);
  for (const char* part :
       {"posts is read 100 times a request", "Repo.preload(users, :posts)",
        "create index(:posts, [:user_id], concurrently: true)", "×197 cheaper", "UPDATE sessions",
        "https://traces.example/t/4bf92f3577b34da6a3ce929d0e0e4736?x=1&amp;y=2",
        "Seq Scan on posts", "199,990", "data-count=\"7\"", "UserController.index",
        "4,711 in all"}) {
    EXPECT_THAT(page, HasSubstr(part));
  }
}

TEST_F(HttpServerTest, ApiFiltersAndPages) {
  board_.publish(large_snapshot(250));
  start();
  const std::string page = body_of(get("/api/v1/findings?limit=2&offset=100&database=tenant_101"));
  EXPECT_THAT(page, HasSubstr("\"page\": {\"total\": 1, \"offset\": 100, \"limit\": 2}"));
  const std::string second = body_of(get("/api/v1/findings?limit=2&offset=100&state=active"));
  EXPECT_THAT(second, HasSubstr("\"id\": \"n_plus_one_read-0000000000000100\""));
  EXPECT_THAT(second, HasSubstr("\"id\": \"n_plus_one_read-0000000000000101\""));
  EXPECT_THAT(second, Not(HasSubstr("0000000000000102\"")));
  EXPECT_EQ(second, body_of(get("/api/v1/findings?limit=2&offset=100&state=active")));
}

TEST_F(HttpServerTest, ReloadsWhenAllowedTo) {
  options_.enable_lifecycle = true;
  start();
  EXPECT_EQ(status_of(post("/-/reload", "", "")), 200);
  EXPECT_EQ(status_of(ask(server_->port(), "PUT", "/-/reload")), 200);
  EXPECT_EQ(status_of(get("/-/reload")), 405);
  EXPECT_EQ(control_.reloads, 2);
  control_.reload_problem = "ectoscope.yaml:1:1: server: no";
  const std::string answer = post("/-/reload", "", "");
  EXPECT_EQ(status_of(answer), 500);
  EXPECT_THAT(answer, HasSubstr("ectoscope.yaml:1:1"));
  EXPECT_EQ(status_of(post("/-/reload", "Origin: https://evil.example\r\n", "")), 403);
  EXPECT_EQ(status_of(post("/-/reload", "Sec-Fetch-Site: cross-site\r\n", "")), 403);
  EXPECT_EQ(control_.reloads, 3);
}

TEST_F(HttpServerTest, AcknowledgesForOurPagesAndPrograms) {
  start();
  const std::string api = std::string("/api/v1/findings/") + kId + "/ack";
  const std::string form = std::string("/findings/") + kId + "/ack";
  const std::string json = R"({"by": "ada", "why": "next week"})";
  const std::string own = "Origin: http://127.0.0.1:" + std::to_string(server_->port()) + "\r\n";
  const std::string fields = "Content-Type: application/x-www-form-urlencoded\r\n";
  const struct {
    const char* what;
    std::string target;
    std::string headers;
    std::string body;
    int status;
  } cases[] = {
      {"program", api, kJson, json, 200},
      {"own page", api, own + kJson, json, 200},
      {"other page", api, std::string("Origin: http://evil.example\r\n") + kJson, json, 403},
      {"other page, hidden", api, std::string("Origin: null\r\n") + kJson, json, 403},
      {"other page by fetch metadata", api, std::string("Sec-Fetch-Site: same-site\r\n") + kJson,
       json, 403},
      {"as text", api, "Content-Type: text/plain\r\n", json, 403},
      {"no JSON", api, kJson, "{", 400},
      {"nobody", api, kJson, R"({"by": "", "why": "x"})", 400},
      {"more than asked for", api, kJson, R"({"by": "a", "admin": "x"})", 400},
      {"number", api, kJson, R"({"by": 1})", 400},
      {"too long", api, kJson, R"({"by": ")" + std::string(101, 'a') + "\"}", 400},
      {"unknown", "/api/v1/findings/x/ack", kJson, json, 404},
      {"own form", form, own + fields, "by=ada&why=a+b%26c", 303},
      {"own form, no referrer", form, "Origin: null\r\nSec-Fetch-Site: same-origin\r\n" + fields,
       "by=ada", 303},
      {"form without proof", form, fields, "by=ada", 403},
      {"other form", form, "Origin: http://evil.example\r\n" + fields, "by=ada", 403},
  };
  for (const auto& [what, target, headers, body, status] : cases) {
    control_.acknowledged.clear();
    const std::string answer = post(target, headers, body);
    EXPECT_EQ(status_of(answer), status) << what << "\n" << answer;
    EXPECT_EQ(control_.acknowledged.empty(), status >= 400) << what;
    if (std::string_view(what) == "program") {
      EXPECT_EQ(control_.acknowledged, "ada|next week");
    }
    if (std::string_view(what) == "own form") {
      EXPECT_EQ(control_.acknowledged, "ada|a b&c");
    }
  }
}

TEST_F(HttpServerTest, IgnoringNeedsANameAndAReason) {
  start();
  const std::string api = std::string("/api/v1/findings/") + kId;
  const struct {
    std::string target;
    const char* body;
    int status;
  } cases[] = {
      {api + "/ignore", R"({"by": "ada", "why": "a report"})", 200},
      {api + "/ignore", R"({"by": "ada", "why": " "})", 400},
      {api + "/ignore", R"({"by": " ", "why": "a report"})", 400},
      {api + "/ignore", R"({"by": "ada", "why": 1})", 400},
      {"/api/v1/findings/none/ignore", R"({"by": "ada", "why": "a report"})", 404},
      {"/api/v1/findings/none/hear", R"({"by": "ada"})", 404},
      {api + "/hear", R"({"by": "ada"})", 404},
  };
  for (const auto& [target, body, status] : cases) {
    control_.ignored.clear();
    EXPECT_EQ(status_of(post(target, kJson, body)), status) << target << body;
    EXPECT_EQ(control_.ignored, status == 200 ? "ada|a report" : "") << target << body;
  }
  EXPECT_EQ(status_of(post(api + "/ignore",
                           "Sec-Fetch-Site: cross-site\r\nContent-Type: "
                           "application/json\r\n",
                           R"({"by": "eve", "why": "x"})")),
            403);
  control_.ignored = "ada|a report";
  EXPECT_EQ(status_of(post(api + "/hear", kJson, R"({"by": "ada"})")), 200);
  EXPECT_EQ(control_.ignored, "");
  control_.ignore_problem = "the disk is full";
  const std::string failed = post(api + "/ignore", kJson, R"({"by": "ada", "why": "x"})");
  EXPECT_EQ(status_of(failed), 500);
  EXPECT_THAT(failed, HasSubstr("the disk is full"));
}

TEST_F(HttpServerTest, AnIgnoredFindingHasAPage) {
  auto snapshot = sample_snapshot();
  auto ignoring = std::make_shared<Ignoring>();
  IgnoredFinding ignored;
  ignored.finding.id = "slow_query-0000000000000001";
  ignored.finding.kind = "slow_query";
  ignored.finding.summary = "SELECT <b>reports</b> takes 2 s";
  ignored.rule.reason = "once a night, <i>meant</i>";
  ignored.rule.where = "ignored.yaml:3";
  ignoring->findings.push_back(ignored);
  snapshot->servers.at(0).ignoring = ignoring;
  board_.publish(snapshot);
  start();
  const std::string page = get("/findings/slow_query-0000000000000001");
  EXPECT_EQ(status_of(page), 200);
  EXPECT_THAT(page, HasSubstr("SELECT &lt;b&gt;reports&lt;/b&gt; takes 2 s"));
  EXPECT_THAT(page, HasSubstr("once a night, &lt;i&gt;meant&lt;/i&gt;"));
  EXPECT_THAT(page, HasSubstr("/findings/slow_query-0000000000000001/hear"));
}

TEST_F(HttpServerTest, WhyNotListsWhatWasNear) {
  Miss miss;
  miss.kind = "n_plus_one_read";
  miss.query.summary = "SELECT <posts>";
  miss.option = "detectors.n_plus_one_read.min_repeats";
  miss.seen = "4";
  miss.threshold = "5";
  miss.why = "too few";
  miss.times = 1234;
  control_.nearly.misses = {miss};
  start();
  for (const char* target : {"/why", "/why?kind=n_plus_one_read"}) {
    const std::string page = get(target);
    EXPECT_EQ(status_of(page), 200);
    EXPECT_THAT(page, HasSubstr("SELECT &lt;posts&gt;"));
    EXPECT_THAT(page, HasSubstr("detectors.n_plus_one_read.min_repeats"));
    EXPECT_THAT(page, HasSubstr("1,234"));
  }
  EXPECT_THAT(get("/why?kind=slow_query"), HasSubstr("Nothing was near"));
  EXPECT_THAT(get("/api/v1/near-misses"), HasSubstr("\"nearest\": \"4\""));
  EXPECT_THAT(get("/api/v1/near-misses?kind=slow_query"), Not(HasSubstr("nearest")));
}

TEST_F(HttpServerTest, HistoryIsATableThatAScriptDraws) {
  start();
  const std::string page = get(std::string("/findings/") + kId);
  EXPECT_THAT(page, HasSubstr("<canvas data-table=\"history-table\""));
  EXPECT_THAT(page, HasSubstr("data-count=\"7\""));
  EXPECT_THAT(page, HasSubstr("/static/chart.min.js?v="));
  EXPECT_THAT(get("/static/chart.min.js"), HasSubstr("Chart.js v"));
}

TEST_F(HttpServerTest, KeepsAConnectionAndPipelines) {
  start();
  RawClient client(server_->port());
  const std::string request = "GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n";
  client.send(request + request +
              "GET /-/healthy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string answers = client.read_all();
  EXPECT_TRUE(client.closed());
  size_t count = 0;
  for (size_t at = answers.find("HTTP/1.1 200"); at != std::string::npos;
       at = answers.find("HTTP/1.1 200", at + 1)) {
    ++count;
  }
  EXPECT_EQ(count, 3U) << answers;
}

TEST_F(HttpServerTest, MetricsAnswerWhileOthersHoldTheDoor) {
  start();
  std::vector<std::unique_ptr<RawClient>> idle;
  for (int i = 0; i < 600; ++i) {
    idle.push_back(std::make_unique<RawClient>(server_->port()));
    if (i % 3 == 0) idle.back()->send("GET / HTTP/1.1\r\nHost:");
    // Asks for much and never reads it.
    if (i % 3 == 1) idle.back()->send("GET /api/v1/findings HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  const auto before = steady_clock::now();
  const std::string answer = get("/metrics");
  EXPECT_EQ(status_of(answer), 200);
  EXPECT_LT(steady_clock::now() - before, std::chrono::seconds(1));
  EXPECT_THAT(get("/metrics"),
              HasSubstr("ectoscope_http_clients_cut_total{reason=\"too_many_connections\"} "));
}

TEST_F(HttpServerTest, CutsTheSlowAndTheLarge) {
  options_.limits.request_time = milliseconds(300);
  options_.limits.idle_time = milliseconds(300);
  start();
  RawClient slow(server_->port());
  slow.send("GET / HTTP/1.1\r\n");
  RawClient silent(server_->port());
  RawClient large(server_->port());
  large.send("GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(1 << 20, 'a'));
  EXPECT_EQ(status_of(large.read_all()), 431);
  EXPECT_EQ(status_of(slow.read_all()), 408);
  EXPECT_TRUE(slow.closed());
  EXPECT_EQ(silent.read_all(), "");
  EXPECT_TRUE(silent.closed());
  EXPECT_EQ(status_of(post("/api/v1/findings/x/ack", kJson, std::string(70'000, ' '))), 413);
  EXPECT_THAT(get("/metrics"),
              HasSubstr("ectoscope_http_clients_cut_total{reason=\"request_timeout\"} 1\n"));
}

TEST_F(HttpServerTest, CutsWhoDoesNotTakeTheAnswer) {
  options_.limits.answer_time = milliseconds(300);
  board_.publish(large_snapshot(1000));
  start();
  RawClient deaf(server_->port());
  std::string many;
  for (int i = 0; i < 20; ++i)
    many += "GET /api/v1/findings?limit=1000 HTTP/1.1\r\nHost: x\r\n\r\n";
  deaf.send(many);
  const auto until = steady_clock::now() + std::chrono::seconds(10);
  bool cut = false;
  while (!cut && steady_clock::now() < until)
    cut = get("/metrics").find("{reason=\"answer_timeout\"} 1\n") != std::string::npos;
  EXPECT_TRUE(cut);
}

TEST_F(HttpServerTest, RangesDoNotMultiplyAnAnswer) {
  start();
  const std::string answer =
      ask(server_->port(), "GET", "/static/app.css", "Range: bytes=0-9,0-9,0-9\r\n");
  EXPECT_EQ(status_of(answer), 200);
}

TEST_F(HttpServerTest, CompressesForWhoAsks) {
  start();
  const std::string answer =
      ask(server_->port(), "GET", "/metrics", "Accept-Encoding: br, gzip\r\n");
  EXPECT_THAT(answer, HasSubstr("Content-Encoding: gzip\r\n"));
}

TEST_F(HttpServerTest, HeadersChangeWhileItAnswers) {
  start();
  WebAccess access;
  const auto change = [&access, this](const std::string& policy) {
    access.headers["Referrer-Policy"] = policy;
    server_->protect(access, nullptr);
  };
  change("origin");
  auto asking = std::async(std::launch::async, [this] {
    for (int i = 0; i < 50; ++i)
      EXPECT_THAT(get("/-/healthy"), HasSubstr("Referrer-Policy: origin\r\n"));
  });
  while (asking.wait_for(milliseconds(0)) != std::future_status::ready)
    change("origin");
  change("same-origin");
  EXPECT_THAT(get("/-/healthy"), HasSubstr("Referrer-Policy: same-origin\r\n"));
}

TEST_F(HttpServerTest, PortInUseSaysWhatToDo) {
  start();
  options_.listen_addresses = {"127.0.0.1:" + std::to_string(server_->port())};
  HttpServer second(options_, board_, control_);
  const auto error = second.start();
  ASSERT_TRUE(error);
  EXPECT_THAT(error->message, HasSubstr("another process has this port"));
  EXPECT_THAT(error->message, HasSubstr("--web.listen-address"));
}

TEST_F(HttpServerTest, WrongAddressSaysHowToWriteIt) {
  for (const char* address : {"127.0.0.1", "::1:80", "127.0.0.1:70000", "x:", "a:b"}) {
    options_.listen_addresses = {address};
    HttpServer server(options_, board_, control_);
    const auto error = server.start();
    ASSERT_TRUE(error) << address;
    EXPECT_THAT(error->message, HasSubstr("write HOST:PORT")) << address;
  }
}

TEST_F(HttpServerTest, StopsQuicklyWithClientsAround) {
  start();
  const uint16_t port = server_->port();
  RawClient idle(port);
  RawClient slow(port);
  slow.send("GET / HTTP/1.1\r\n");
  EXPECT_EQ(status_of(get("/-/healthy")), 200);
  const auto before = steady_clock::now();
  server_->stop();
  EXPECT_LT(steady_clock::now() - before, milliseconds(900));
  EXPECT_FALSE(RawClient(port).connected());
  server_->stop();
}

}  // namespace
}  // namespace ectoscope
