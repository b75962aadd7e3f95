#include "outputs/page_frame.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "outputs/assets.h"
#include "outputs/text_layout.h"

namespace ectoscope {
namespace {

struct Link {
  PagePlace place;
  std::string_view path;
  std::string_view name;
};

constexpr std::array kLinks = {
    Link{PagePlace::kFindings, "/", "Findings"}, Link{PagePlace::kQueries, "/queries", "Queries"},
    Link{PagePlace::kWhy, "/why", "Why not?"}, Link{PagePlace::kSources, "/sources", "Sources"}};

void head(HtmlWriter& html, std::string_view title) {
  html.raw("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>");
  html.empty("meta", {{"name", "viewport"}, {"content", "width=device-width, initial-scale=1"}});
  html.empty("meta", {{"name", "color-scheme"}, {"content", "light dark"}});
  html.element("title", {}, std::string(title) + " · ectoscope");
  html.empty("link", {{"rel", "icon"}, {"type", "image/svg+xml"}, {"href", asset_url("icon.svg")}});
  html.empty("link", {{"rel", "stylesheet"}, {"href", asset_url("app.css")}});
  html.element("script", {{"src", asset_url("app.js")}, {"defer", ""}}, "");
  html.close("head");
}

void top_bar(HtmlWriter& html, PagePlace place) {
  html.raw("<body><a class=\"skip\" href=\"#main\">Skip to the content</a><header class=\"top\">");
  html.raw("<a class=\"brand\" href=\"/\">");
  html.empty("img",
             {{"src", asset_url("icon.svg")}, {"alt", ""}, {"width", "22"}, {"height", "22"}});
  html.raw("<span>ectoscope</span></a><nav aria-label=\"Pages\">");
  for (const Link& link : kLinks) {
    if (link.place == place) {
      html.element("a", {{"href", std::string(link.path)}, {"aria-current", "page"}}, link.name);
    } else {
      html.element("a", {{"href", std::string(link.path)}}, link.name);
    }
  }
  html.raw("</nav></header>");
}

void problems(HtmlWriter& html, const Snapshot& snapshot) {
  if (snapshot.problems.empty() && snapshot.store_problem.empty()) return;
  html.raw("<section class=\"problems\" aria-label=\"Problems of ectoscope itself\"><ul>");
  for (const std::string& problem : snapshot.problems)
    html.element("li", {}, problem);
  const auto& all = snapshot.problems;
  if (!snapshot.store_problem.empty() &&
      std::find(all.begin(), all.end(), snapshot.store_problem) == all.end()) {
    html.element("li", {}, snapshot.store_problem);
  }
  html.raw("</ul></section>");
}

}  // namespace

std::string framed(std::string_view title, PagePlace place, const Snapshot& snapshot,
                   const PageOptions& options, std::string_view body) {
  HtmlWriter html;
  head(html, title);
  top_bar(html, place);
  problems(html, snapshot);
  html.raw("<main id=\"main\">");
  html.raw(body);
  html.raw("</main><footer><span>ectoscope ");
  html.text(options.version);
  html.raw("</span><span>");
  if (snapshot.taken_at.time_since_epoch().count() != 0) {
    html.text("as of " + format_rfc3339(snapshot.taken_at).substr(11, 8) + " UTC");
  }
  html.raw("</span><a href=\"/api/v1/findings\">API</a><a href=\"/metrics\">Metrics</a></footer>");
  html.raw("</body></html>\n");
  return html.take();
}

void severity_pill(HtmlWriter& html, Severity severity) {
  const std::string name(name_of(severity));
  html.element("span", {{"class", "pill " + name}}, name);
}

void tile(HtmlWriter& html, std::string_view figure, std::string_view meaning,
          std::string_view more) {
  html.raw("<div class=\"tile\">");
  html.element("dt", {}, meaning);
  html.raw("<dd>");
  html.element("b", {}, figure);
  if (!more.empty()) html.element("small", {}, more);
  html.raw("</dd></div>");
}

void code_block(HtmlWriter& html, std::string_view id, std::string_view title,
                std::string_view code) {
  const std::string name(id);
  html.raw("<figure class=\"code\"><figcaption>");
  html.element("span", {}, title);
  html.element("button",
               {{"type", "button"},
                {"class", "copy"},
                {"data-copy", name},
                {"aria-label", "Copy: " + std::string(title)}},
               "Copy");
  html.raw("</figcaption>");
  html.open("pre", {{"tabindex", "0"}});
  html.element("code", {{"id", name}}, code);
  html.raw("</pre></figure>");
}

void moment(HtmlWriter& html, EventTime at, EventTime now) {
  using std::chrono::duration_cast;
  const auto ago = duration_cast<std::chrono::seconds>(now - at).count();
  std::string text;
  if (ago < 5) {
    text = "now";
  } else if (ago < 60) {
    text = std::to_string(ago) + " s ago";
  } else if (ago < 3600) {
    text = std::to_string(ago / 60) + " min ago";
  } else if (ago < int64_t{48} * 3600) {
    text = std::to_string(ago / 3600) + " h ago";
  } else {
    text = std::to_string(ago / 86400) + " days ago";
  }
  const std::string stamp = format_rfc3339(at);
  html.element("time", {{"datetime", stamp}, {"title", stamp}}, text);
}

std::string kind_name(std::string_view kind) {
  if (kind == "n_plus_one_read") return "N+1 read";
  if (kind == "n_plus_one_write") return "N+1 write";
  std::string name(kind);
  std::replace(name.begin(), name.end(), '_', ' ');
  if (!name.empty() && name[0] >= 'a' && name[0] <= 'z') name[0] = static_cast<char>(name[0] - 32);
  return name;
}

void share_bar(HtmlWriter& html, double share, std::string_view label) {
  const double width = std::clamp(share, 0.0, 1.0) * 100;
  html.open("svg", {{"class", "share"},
                    {"viewBox", "0 0 100 6"},
                    {"preserveAspectRatio", "none"},
                    {"role", "img"},
                    {"aria-label", std::string(label)}});
  html.raw("<rect class=\"track\" width=\"100\" height=\"6\"/>");
  html.empty("rect", {{"class", "fill"},
                      {"width", decimal(share > 0 ? std::max(width, 1.0) : 0, 2)},
                      {"height", "6"}});
  html.close("svg");
}

std::string decimal(double number, int decimals) {
  std::array<char, 64> buffer{};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number,
                                          std::chars_format::fixed, decimals);
  if (error != std::errc{}) return "?";
  std::string text(buffer.data(), end);
  if (text.find('.') != std::string::npos) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
  }
  return text == "-0" ? "0" : text;
}

void empty_state(HtmlWriter& html, std::string_view title, std::string_view text) {
  html.raw("<div class=\"empty\">");
  html.element("h2", {}, title);
  html.element("p", {}, text);
  html.raw("</div>");
}

void pager(HtmlWriter& html, const PagePart& part) {
  if (part.before.empty() && part.after.empty()) return;
  html.raw("<nav class=\"pager\" aria-label=\"More\">");
  if (!part.before.empty())
    html.element("a", {{"href", std::string(part.before)}, {"rel", "prev"}}, "← Previous");
  html.element("span", {},
               with_commas(part.offset + 1) + "–" + with_commas(part.offset + part.shown) + " of " +
                   with_commas(part.total));
  if (!part.after.empty())
    html.element("a", {{"href", std::string(part.after)}, {"rel", "next"}}, "Next →");
  html.raw("</nav>");
}

}  // namespace ectoscope
