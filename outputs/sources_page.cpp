#include <string>
#include <vector>

#include "outputs/pages.h"
#include "outputs/report_notes.h"
#include "outputs/text_layout.h"

namespace ectoscope {
namespace {

std::string drops_of(const ServerState& server) {
  std::string text;
  for (const auto& [reason, count] : server.dropped)
    text += (text.empty() ? "" : ", ") + with_commas(count) + " " + reason;
  return text.empty() ? "nothing" : text;
}

std::string_view words_for(InputFidelity::Statements statements) {
  switch (statements) {
    case InputFidelity::Statements::kAll:
      return "all are logged";
    case InputFidelity::Statements::kSampled:
      return "a sample is logged";
    case InputFidelity::Statements::kSlowOnly:
      return "only slow ones are logged";
    case InputFidelity::Statements::kNone:
      break;
  }
  return "none are logged";
}

std::string_view words_for(InputFidelity::TraceIds trace_ids) {
  switch (trace_ids) {
    case InputFidelity::TraceIds::kAll:
      return "on all statements";
    case InputFidelity::TraceIds::kSome:
      return "on some statements";
    case InputFidelity::TraceIds::kStale:
      return "stale: prepared statements keep an old request's";
    case InputFidelity::TraceIds::kNone:
      break;
  }
  return "none: requests are told apart by how statements follow each other";
}

void fact(HtmlWriter& html, std::string_view name, std::string_view value, bool good) {
  html.raw("<div>");
  html.element("dt", {}, name);
  html.element("dd", {{"class", good ? "" : "lacking"}}, value);
  html.raw("</div>");
}

void source_list(HtmlWriter& html, const Snapshot& snapshot, const ServerState& server) {
  html.raw("<h3>Sources</h3><ul class=\"plain sources\">");
  for (const SourceState& source : snapshot.sources) {
    if (source.server != server.server) continue;
    html.open("li", {{"class", source.up ? "" : "down"}});
    html.element("code", {}, source.name);
    if (source.size > 0) {
      html.element("small", {},
                   " " + readable_bytes(source.position) + " of " + readable_bytes(source.size));
    }
    if (source.last_event) {
      html.raw(" <small>last record ");
      moment(html, *source.last_event, snapshot.taken_at);
      html.raw("</small>");
    }
    if (!source.problem.empty()) html.element("p", {{"class", "problem"}}, source.problem);
    html.raw("</li>");
  }
  html.raw("</ul>");
}

void what_the_log_shows(HtmlWriter& html, const Snapshot& snapshot, const ServerState& server) {
  html.raw("<h3>What the log shows</h3><dl class=\"facts\">");
  const InputFidelity& fidelity = server.fidelity;
  fact(html, "Statements", words_for(fidelity.statements),
       fidelity.statements == InputFidelity::Statements::kAll);
  fact(html, "Parameters", fidelity.parameters ? "logged" : "not logged", fidelity.parameters);
  fact(html, "Plans", fidelity.plans ? "logged" : "not logged", fidelity.plans);
  fact(html, "Trace ids", words_for(fidelity.trace_ids),
       fidelity.trace_ids == InputFidelity::TraceIds::kAll);
  fact(html, "Skipped or only partly read", drops_of(server), server.dropped.empty());
  html.raw("</dl>");
  const std::vector<std::string> hidden = hidden_by(fidelity);
  if (hidden.empty()) return;
  html.raw("<h3>What would show more</h3>");
  for (size_t i = 0; i < hidden.size(); ++i) {
    const auto number = static_cast<size_t>(&server - snapshot.servers.data());
    if (i >= fidelity.advice.size()) {  // no command
      html.element("p", {}, hidden[i]);
      continue;
    }
    code_block(html, "advice-" + std::to_string(number) + "-" + std::to_string(i),
               "Advice " + std::to_string(i + 1), hidden[i]);
  }
}

void server_card(HtmlWriter& html, const Snapshot& snapshot, const ServerState& server) {
  html.raw("<section class=\"card\"><h2>");
  html.text(server.server);
  html.raw(server.up ? " <span class=\"pill ok\">up</span>"
                     : " <span class=\"pill critical\">down</span>");
  html.raw("</h2><dl class=\"tiles\">");
  tile(html, readable_bytes(server.bytes), "Read", with_commas(server.records) + " records");
  tile(html, server.lag_seconds < 1 ? "none" : decimal(server.lag_seconds, 1) + " s", "Lag",
       "behind the log");
  uint64_t statements = 0;
  for (const StatementCounts& counts : server.statements)
    statements += counts.durations.count;
  tile(html, with_commas(statements), "Statements",
       with_commas(server.excess_statements) + " needless");
  tile(html, with_commas(server.open_traces), "Open requests");
  html.raw("</dl>");
  source_list(html, snapshot, server);
  what_the_log_shows(html, snapshot, server);
  html.raw("</section>");
}

}  // namespace

std::string sources_page(const Snapshot& snapshot, const PageOptions& options) {
  HtmlWriter html;
  html.raw("<h1>Sources</h1>");
  if (snapshot.servers.empty()) {
    empty_state(html, "No server yet", "The daemon has not looked at its sources yet.");
  }
  for (const ServerState& server : snapshot.servers)
    server_card(html, snapshot, server);
  return framed("Sources", PagePlace::kSources, snapshot, options, html.page());
}

}  // namespace ectoscope
