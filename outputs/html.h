// HTML as it is built: the one place where text becomes markup.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace ectoscope {

/// Text made harmless for HTML: < > & " ' are escaped, bytes that are no UTF-8 become U+FFFD,
/// control and direction characters are shown as \x1b or \u202e.  Line breaks and tabs stay.
std::string html_escaped(std::string_view text);

/// For one part of a path or a query string.
std::string url_escaped(std::string_view text);

/// Appends to a page.  Element and attribute names, and raw(), are our own literals; everything
/// else is escaped.
class HtmlWriter {
 public:
  struct Attribute {
    std::string_view name;
    std::string value;
  };
  using Attributes = std::initializer_list<Attribute>;

  void open(std::string_view element, Attributes attributes = {});
  void close(std::string_view element);
  /// An element with text in it.
  void element(std::string_view name, Attributes attributes, std::string_view text);
  /// One without content or end tag: <input>, <meta>; in SVG <rect .../>.
  void empty(std::string_view name, Attributes attributes);
  void text(std::string_view text) { page_ += html_escaped(text); }
  void raw(std::string_view markup) { page_ += markup; }

  [[nodiscard]] const std::string& page() const { return page_; }
  [[nodiscard]] std::string take() { return std::move(page_); }

 private:
  void tag(std::string_view name, Attributes attributes);

  std::string page_;
};

}  // namespace ectoscope
