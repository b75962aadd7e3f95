#include "findings/totals_codec.h"

#include <nlohmann/json.hpp>

namespace ectoscope {
namespace {

using Json = nlohmann::json;

int64_t micros(EventTime at) {
  return at.time_since_epoch().count();
}

EventTime time_at(const Json& json) {
  return EventTime(Micros(json.get<int64_t>()));
}

Json encode_example(const RankedExample& ranked) {
  const Example& example = ranked.example;
  Json json = {{"trace", {example.trace_id.high, example.trace_id.low}},
               {"rung", static_cast<int>(example.grouped_by)},
               {"from", micros(example.started_at)},
               {"to", micros(example.ended_at)},
               {"pids", example.pids},
               {"statements", example.statements},
               {"duration", example.duration.count()},
               {"repeats", ranked.repeats}};
  if (!example.other.pids.empty()) {
    const TraceId& other = example.other.trace_id;
    json["other"] = {{"trace", {other.high, other.low}}, {"pids", example.other.pids}};
  }
  return json;
}

TraceId trace_id(const Json& json) {
  return {json.at(0).get<uint64_t>(), json.at(1).get<uint64_t>()};
}

RankedExample decode_example(const Json& json) {
  RankedExample ranked;
  Example& example = ranked.example;
  example.trace_id = trace_id(json.at("trace"));
  example.grouped_by = static_cast<GroupedBy>(json.at("rung").get<int>() % 5);
  example.started_at = time_at(json.at("from"));
  example.ended_at = time_at(json.at("to"));
  example.pids = json.at("pids").get<std::vector<int32_t>>();
  example.statements = json.at("statements").get<uint64_t>();
  example.duration = Micros(json.at("duration").get<int64_t>());
  ranked.repeats = json.at("repeats").get<uint64_t>();
  if (json.contains("other")) {
    const Json& other = json.at("other");
    example.other.trace_id = trace_id(other.at("trace"));
    example.other.pids = other.at("pids").get<std::vector<int32_t>>();
  }
  return ranked;
}

Json encode_index(const std::optional<IndexAdvice>& index) {
  if (!index) return nullptr;
  Json json = {{"table", index->table},
               {"columns", index->columns},
               {"order", index->order},
               {"include", index->include}};
  if (index->where) json["where"] = *index->where;
  return json;
}

std::optional<IndexAdvice> decode_index(const Json& json) {
  if (json.is_null()) return std::nullopt;
  IndexAdvice index;
  index.table = json.at("table").get<std::string>();
  index.columns = json.at("columns").get<std::vector<std::string>>();
  index.order = json.at("order").get<std::vector<std::string>>();
  index.include = json.at("include").get<std::vector<std::string>>();
  if (json.contains("where")) index.where = json.at("where").get<std::string>();
  return index;
}

/// What of the worst occurrence its fix is made from.
Json encode_worst(const Observation& worst) {
  return {{"remedy", static_cast<int>(worst.remedy)},
          {"severity", static_cast<int>(worst.severity)},
          {"confidence", worst.confidence},
          {"from", micros(worst.started_at)},
          {"to", micros(worst.ended_at)},
          {"statements", worst.statements},
          {"repeats", worst.repeats},
          {"excess", worst.excess_statements},
          {"database_us", worst.database_time.count()},
          {"saved_us", worst.saved.count()},
          {"evidence", worst.evidence},
          {"table", worst.table},
          {"columns", worst.columns},
          {"constraint", worst.constraint},
          {"index", encode_index(worst.index)}};
}

Observation decode_worst(const Json& json) {
  Observation worst;
  worst.remedy = static_cast<Remedy>(json.at("remedy").get<int>());
  worst.severity = static_cast<Severity>(json.at("severity").get<int>() % 3);
  worst.confidence = json.at("confidence").get<double>();
  worst.started_at = time_at(json.at("from"));
  worst.ended_at = time_at(json.at("to"));
  worst.statements = json.at("statements").get<uint64_t>();
  worst.repeats = json.at("repeats").get<uint64_t>();
  worst.excess_statements = json.at("excess").get<uint64_t>();
  worst.database_time = Micros(json.at("database_us").get<int64_t>());
  worst.saved = Micros(json.at("saved_us").get<int64_t>());
  worst.evidence = json.at("evidence").get<std::map<std::string, double>>();
  worst.table = json.at("table").get<std::string>();
  worst.columns = json.at("columns").get<std::vector<std::string>>();
  worst.constraint = json.value("constraint", std::string());
  worst.index = decode_index(json.at("index"));
  return worst;
}

Json encode_timeline(const std::vector<TimelineStep>& timeline, const ShapeTexts& shapes) {
  Json json = Json::array();
  for (const TimelineStep& step : timeline) {
    json.push_back({step.query == kNoQuery ? std::string() : shapes.text_of(step.query),
                    step.offset.count(), step.duration.count()});
  }
  return json;
}

std::vector<TimelineStep> decode_timeline(const Json& json, const ShapeTexts& shapes) {
  std::vector<TimelineStep> timeline;
  for (const Json& step : json) {
    const auto text = step.at(0).get<std::string>();
    timeline.push_back({text.empty() ? kNoQuery : shapes.id_of(text),
                        Micros(step.at(1).get<int64_t>()), Micros(step.at(2).get<int64_t>())});
  }
  return timeline;
}

}  // namespace

std::string TotalsCodec::encode(const FindingTotals& totals, const ShapeTexts& shapes) {
  Json evidence = Json::object();
  for (const auto& [name, is] : totals.evidence_)
    evidence[name] = {is.sum, is.least, is.greatest, is.count};
  Json examples = Json::array();
  for (const RankedExample& example : totals.examples_)
    examples.push_back(encode_example(example));
  const Json json = {{"occurrences", totals.occurrences_},
                     {"severity", static_cast<int>(totals.severity_)},
                     {"confidence", totals.confidence_},
                     {"first", micros(totals.first_seen_)},
                     {"last", micros(totals.last_seen_)},
                     {"statements", totals.statements_},
                     {"excess", totals.excess_statements_},
                     {"database_us", totals.database_time_.count()},
                     {"saved_us", totals.saved_.count()},
                     {"evidence", evidence},
                     {"applications", totals.applications_},
                     {"routes", totals.routes_},
                     {"places", totals.places_},
                     {"examples", examples},
                     {"worst", encode_example(totals.worst_)},
                     {"worst_seen", encode_worst(totals.worst_observation_)},
                     {"planned", totals.plan_lost_ || totals.worst_observation_.plan != nullptr},
                     {"timeline", encode_timeline(totals.timeline_, shapes)},
                     {"durations", totals.durations_},
                     {"timed", totals.timed_}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<FindingTotals> TotalsCodec::decode(const std::string& text, size_t max_examples,
                                                 const ShapeTexts& shapes) {
  try {
    const Json json = Json::parse(text);
    FindingTotals totals(max_examples);
    totals.occurrences_ = json.at("occurrences").get<uint64_t>();
    totals.severity_ = static_cast<Severity>(json.at("severity").get<int>() % 3);
    totals.confidence_ = json.at("confidence").get<double>();
    totals.first_seen_ = time_at(json.at("first"));
    totals.last_seen_ = time_at(json.at("last"));
    totals.statements_ = json.at("statements").get<uint64_t>();
    totals.excess_statements_ = json.at("excess").get<uint64_t>();
    totals.database_time_ = Micros(json.at("database_us").get<int64_t>());
    totals.saved_ = Micros(json.at("saved_us").get<int64_t>());
    for (const auto& [name, is] : json.at("evidence").items()) {
      totals.evidence_[name] = {is.at(0).get<double>(), is.at(1).get<double>(),
                                is.at(2).get<double>(), is.at(3).get<uint64_t>()};
    }
    totals.applications_ = json.at("applications").get<std::map<std::string, uint64_t>>();
    totals.routes_ = json.at("routes").get<std::map<std::string, uint64_t>>();
    totals.places_ = json.at("places").get<std::map<std::string, uint64_t>>();
    for (const Json& example : json.at("examples"))
      totals.examples_.push_back(decode_example(example));
    totals.worst_ = decode_example(json.at("worst"));
    totals.worst_observation_ = decode_worst(json.at("worst_seen"));
    totals.plan_lost_ = json.value("planned", false);
    totals.timeline_ = decode_timeline(json.at("timeline"), shapes);
    totals.durations_ = json.at("durations").get<std::map<int, uint64_t>>();
    totals.timed_ = json.at("timed").get<uint64_t>();
    return totals;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

}  // namespace ectoscope
