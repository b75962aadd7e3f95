#include <string>

#include "outputs/finding_actions.h"
#include "outputs/pages.h"

namespace ectoscope {

std::string ignored_page(const Snapshot& snapshot, const IgnoredFinding& ignored,
                         const PageOptions& options) {
  const Finding& finding = ignored.finding;
  const IgnoreRule& rule = ignored.rule;
  HtmlWriter html;
  html.raw("<div class=\"crumbs\"><a href=\"/\">Findings</a></div><div class=\"heading\"><p>");
  html.element("span", {{"class", "kind"}}, kind_name(finding.kind));
  html.raw(" <span class=\"pill\">ignored</span></p>");
  html.element("h1", {}, finding.summary);
  html.raw("</div><section aria-labelledby=\"ignored\">");
  html.element("h2", {{"id", "ignored"}}, "Ignored");
  html.element("p", {}, rule.reason + (rule.owner.empty() ? "" : " (" + rule.owner + ")"));
  html.element("p", {{"class", "note"}}, "By the rule in " + rule.where + ".");
  action_form(html, finding.id, {{"/hear", "Hear of it again", "It comes back in a moment."}});
  html.raw("</section>");
  code_block(html, "query", "SQL", finding.query.text);
  return framed("Ignored", PagePlace::kFindings, snapshot, options, html.page());
}

}  // namespace ectoscope
