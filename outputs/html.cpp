#include "outputs/html.h"

#include "outputs/json_writer.h"
#include "outputs/text_layout.h"

namespace ectoscope {
namespace {

void escape_into(std::string_view text, std::string& page) {
  for (const char c : text) {
    switch (c) {
      case '<':
        page += "&lt;";
        break;
      case '>':
        page += "&gt;";
        break;
      case '&':
        page += "&amp;";
        break;
      case '"':
        page += "&quot;";
        break;
      case '\'':
        page += "&#39;";
        break;
      default:
        page += c;
    }
  }
}

std::string valid_utf8(std::string_view text) {
  std::string valid;
  while (!text.empty()) {
    const size_t length = utf8_length(text);
    valid += length == 0 ? std::string_view("\xEF\xBF\xBD") : text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return valid;
}

}  // namespace

std::string html_escaped(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size() + 16);
  while (!text.empty()) {
    const size_t end = std::min(text.find_first_of("\n\t"), text.size());
    if (end > 0) escape_into(harmless(valid_utf8(text.substr(0, end))), escaped);
    if (end < text.size()) escaped += text[end];
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return escaped;
}

std::string url_escaped(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string escaped;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      escaped += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      escaped += '%';
      escaped += kHex[byte >> 4U];
      escaped += kHex[byte & 0xFU];
    }
  }
  return escaped;
}

void HtmlWriter::tag(std::string_view name, Attributes attributes) {
  page_ += '<';
  page_ += name;
  for (const Attribute& attribute : attributes) {
    page_ += ' ';
    page_ += attribute.name;
    page_ += "=\"";
    page_ += html_escaped(attribute.value);
    page_ += '"';
  }
}

void HtmlWriter::open(std::string_view element, Attributes attributes) {
  tag(element, attributes);
  page_ += '>';
}

void HtmlWriter::close(std::string_view element) {
  page_ += "</";
  page_ += element;
  page_ += '>';
}

void HtmlWriter::element(std::string_view name, Attributes attributes, std::string_view text) {
  open(name, attributes);
  page_ += html_escaped(text);
  close(name);
}

void HtmlWriter::empty(std::string_view name, Attributes attributes) {
  tag(name, attributes);
  page_ += "/>";
}

}  // namespace ectoscope
