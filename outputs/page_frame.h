// What all pages share: the frame around them and the small parts they are made of.
#pragma once

#include <string>
#include <string_view>

#include "core/finding.h"
#include "core/snapshot.h"
#include "outputs/html.h"

namespace ectoscope {

struct PageOptions {
  std::string version;
  /// Where a trace is to be seen, with {trace_id} in it; http or https.  Empty: nowhere.
  std::string trace_url;
};

enum class PagePlace : uint8_t { kFindings, kQueries, kWhy, kSources, kNone };

/// A whole document.  `body` is markup.
std::string framed(std::string_view title, PagePlace place, const Snapshot& snapshot,
                   const PageOptions& options, std::string_view body);

/// "critical" with its colour, its mark and its name.
void severity_pill(HtmlWriter& html, Severity severity);

/// One figure with what it means.
void tile(HtmlWriter& html, std::string_view figure, std::string_view meaning,
          std::string_view more = {});

/// Code with a button that copies it; `id` is unique in the page.
void code_block(HtmlWriter& html, std::string_view id, std::string_view title,
                std::string_view code);

/// "3 min ago", with the moment itself for who wants it.
void moment(HtmlWriter& html, EventTime at, EventTime now);

/// "n_plus_one_read" as people say it: "N+1 read".
std::string kind_name(std::string_view kind);

/// 0..1 as a bar in its own little picture; `label` is for those who don't see it.
void share_bar(HtmlWriter& html, double share, std::string_view label);

/// A real number with at most `decimals`, with no zeros at its end.
std::string decimal(double number, int decimals);

/// "Nothing here" with what it means.
void empty_state(HtmlWriter& html, std::string_view title, std::string_view text);

/// What a page shows of a longer list.
struct PagePart {
  size_t offset = 0;
  size_t shown = 0;
  size_t total = 0;
  std::string before;  // URL of the part before this one; empty: there is none
  std::string after;
};

void pager(HtmlWriter& html, const PagePart& part);

}  // namespace ectoscope
