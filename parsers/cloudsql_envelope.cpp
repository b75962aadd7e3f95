#include "parsers/envelope_times.h"
#include "parsers/json_envelope.h"

namespace ectoscope {
namespace {

class CloudSqlEnvelope final : public ObjectEnvelope {
 private:
  void begin() override { other_log_ = has_text_ = false; }

  void take(const JsonMembers& member, Wrapped& out) override {
    if (!member.is_string()) return;
    if (member.key() == "textPayload") {
      out.text = unescape_json(member.value(), scratch_);
      has_text_ = true;
    } else if (member.key() == "timestamp") {
      const EnvelopeTime time = read_rfc3339(member.value());
      out.has_time = time.length != 0;
      out.coarse = time.coarse;
      out.at = time.at;
    } else if (member.key() == "logName") {
      other_log_ = member.value().find("postgres") == std::string_view::npos;
    }
  }

  Opened finish(Wrapped& out) override {
    if (other_log_ || !has_text_) return Opened::kOther;
    while (out.text.ends_with('\n'))
      out.text.remove_suffix(1);
    out.by_postgres = true;
    return Opened::kText;
  }

  bool other_log_ = false;
  bool has_text_ = false;
  std::string scratch_;
};

}  // namespace

std::unique_ptr<Envelope> make_cloudsql_envelope() {
  return std::make_unique<CloudSqlEnvelope>();
}

bool looks_like_cloudsql(std::string_view line) {
  if (line.find("\"textPayload\":") != std::string_view::npos) return true;
  const size_t begin = line.find_first_not_of(" \t[,{");
  if (begin == std::string_view::npos) return false;
  // Laid out over lines, or with other members in front.
  return line.substr(begin).starts_with("\"insertId\":") ||
         line.substr(begin).starts_with("\"logName\":");
}

}  // namespace ectoscope
