#include <array>
#include <charconv>
#include <cmath>

#include "outputs/json_writer.h"
#include "outputs/metric_families.h"

namespace ectoscope {
namespace {

constexpr std::string_view kTotal = "_total";

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 32> buffer{};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  std::string text(buffer.data(), end);
  // `le` and `quantile` must be written as real numbers; elsewhere it does no harm.
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string escaped(std::string_view raw) {
  std::string text;
  while (!raw.empty()) {
    const size_t length = utf8_length(raw);
    if (length == 0) {
      text += "\xEF\xBF\xBD";
      raw.remove_prefix(1);
      continue;
    }
    if (raw.front() == '\n') {
      text += "\\n";
    } else {
      if (raw.front() == '"' || raw.front() == '\\') text += '\\';
      text += raw.substr(0, length);
    }
    raw.remove_prefix(length);
  }
  return text;
}

std::string_view type_name(prometheus::MetricType type) {
  switch (type) {
    case prometheus::MetricType::Counter:
      return "counter";
    case prometheus::MetricType::Gauge:
      return "gauge";
    case prometheus::MetricType::Summary:
      return "summary";
    case prometheus::MetricType::Histogram:
      return "histogram";
    default:
      return "unknown";
  }
}

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  void sample(std::string_view name, const prometheus::ClientMetric& metric, double value,
              std::string_view le = {}) {
    out_ += name;
    std::string labels;
    for (const auto& label : metric.label)
      labels += (labels.empty() ? "" : ",") + label.name + "=\"" + escaped(label.value) + "\"";
    if (!le.empty()) {
      labels += (labels.empty() ? "le=\"" : ",le=\"");
      labels += le;
      labels += '"';
    }
    if (!labels.empty()) out_ += "{" + labels + "}";
    out_ += " " + number(value);
  }

  void end_line() { out_ += '\n'; }

  void exemplar(const Exemplar& exemplar) {
    const double seconds = std::chrono::duration<double>(exemplar.at.time_since_epoch()).count();
    std::array<char, 32> stamp{};
    const auto [end, error] = std::to_chars(stamp.data(), stamp.data() + stamp.size(), seconds,
                                            std::chars_format::fixed, 6);
    out_ += " # {trace_id=\"" + to_hex(exemplar.trace_id) + "\"} 1.0 ";
    out_.append(stamp.data(), end);
  }

 private:
  std::string& out_;
};

void distribution(Writer& writer, const std::string& name, const prometheus::ClientMetric& metric,
                  bool histogram) {
  if (histogram) {
    for (const auto& bucket : metric.histogram.bucket) {
      writer.sample(name + "_bucket", metric, static_cast<double>(bucket.cumulative_count),
                    number(bucket.upper_bound));
      writer.end_line();
    }
  }
  const auto count = histogram ? metric.histogram.sample_count : metric.summary.sample_count;
  writer.sample(name + "_count", metric, static_cast<double>(count));
  writer.end_line();
  writer.sample(name + "_sum", metric,
                histogram ? metric.histogram.sample_sum : metric.summary.sample_sum);
  writer.end_line();
}

LabelValues values_of(const prometheus::ClientMetric& metric) {
  LabelValues values;
  for (const auto& label : metric.label)
    values.push_back(label.value);
  return values;
}

}  // namespace

std::string openmetrics_text(const std::vector<prometheus::MetricFamily>& families,
                             std::string_view exemplar_family, const Exemplars& exemplars) {
  std::string out;
  Writer writer(out);
  for (const prometheus::MetricFamily& family : families) {
    const bool counter = family.type == prometheus::MetricType::Counter;
    std::string name = family.name;
    if (counter && name.ends_with(kTotal)) name.resize(name.size() - kTotal.size());
    out += "# HELP " + name + " " + escaped(family.help) + "\n";
    out += "# TYPE " + name + " " + std::string(type_name(family.type)) + "\n";
    for (const prometheus::ClientMetric& metric : family.metric) {
      if (family.type == prometheus::MetricType::Histogram ||
          family.type == prometheus::MetricType::Summary) {
        distribution(writer, name, metric, family.type == prometheus::MetricType::Histogram);
        continue;
      }
      writer.sample(counter ? name + std::string(kTotal) : name, metric,
                    counter ? metric.counter.value : metric.gauge.value);
      if (family.name == exemplar_family) {
        const auto found = exemplars.find(values_of(metric));
        if (found != exemplars.end()) writer.exemplar(found->second);
      }
      writer.end_line();
    }
  }
  return out + "# EOF\n";
}

}  // namespace ectoscope
