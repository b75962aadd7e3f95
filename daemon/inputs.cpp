#include "daemon/inputs.h"

#include <algorithm>
#include <span>
#include <utility>

#include "ingest/archive.h"
#include "ingest/block_reader.h"
#include "outputs/text_layout.h"
#include "parsers/log_format.h"
#include "platform/system_clock.h"

namespace ectoscope {
namespace {

/// Gives blocks to a parser.
class ParserFeed final : public BlockConsumer {
 public:
  ParserFeed(LogParser& parser, RecordHandler& handler) : parser_(parser), handler_(handler) {}

  size_t consume(std::string_view block, bool last) override {
    return parser_.parse(block, last, handler_);
  }
  void skipped(uint64_t bytes) override { parser_.skipped(bytes); }

 private:
  LogParser& parser_;
  RecordHandler& handler_;
};

/// Remembers the first stamp.
class FirstStamp final : public RecordHandler {
 public:
  void on_record(const LogRecord& record) override {
    if (!at_) at_ = record.at;
  }
  void on_late_part(const LogRecord& /*part*/) override {}

  [[nodiscard]] std::optional<EventTime> at() const { return at_; }

 private:
  std::optional<EventTime> at_;
};

std::string no_record(const std::string& path, uint64_t bytes) {
  return path + ": no record of a PostgreSQL log in " + readable_bytes(bytes) +
         "; if it is one, name its --format and, for stderr, its --log-line-prefix "
         "(SHOW log_line_prefix)";
}

}  // namespace

std::optional<Error> LogInputs::open(const std::vector<std::string>& paths) {
  bool sized = true;
  for (const std::string& path : paths) {
    Input input{path, std::nullopt};
    if (path != "-") {
      auto file = files_.open(path);
      if (!file.ok()) return file.error();
      const uint64_t size = file.value()->size();
      sized = sized && size > 0;
      total_bytes_ += size;
    } else {
      sized = false;
    }
    if (paths.size() > 1) {
      const auto stamp = first_stamp(path);
      if (!stamp.ok()) return stamp.error();
      input.first_stamp = stamp.value();
      if (!input.first_stamp && !inputs_.empty()) input.first_stamp = inputs_.back().first_stamp;
    }
    inputs_.push_back(std::move(input));
  }
  if (!sized) total_bytes_ = 0;
  std::stable_sort(inputs_.begin(), inputs_.end(),
                   [](const Input& a, const Input& b) { return a.first_stamp < b.first_stamp; });
  return std::nullopt;
}

std::optional<Error> LogInputs::read(Pipeline& pipeline, Progress& progress) {
  for (const Input& input : inputs_) {
    if (auto error = read_one(input, pipeline, progress)) return error;
  }
  // Nothing but noise is a mistake of the caller's; some noise beside a log is only told.
  if (records_ == 0 && !warnings_.empty()) return Error{warnings_.front()};
  return std::nullopt;
}

std::unique_ptr<LogParser> LogInputs::make_parser() const {
  LogParserOptions options;
  options.log_line_prefix = settings_.log_line_prefix;
  options.timezone = settings_.timezone;
  options.now = make_system_clock()->wall();
  if (const auto format = log_format_named(settings_.format))
    return make_log_parser(*format, options);
  return make_log_parser(options);
}

Result<std::optional<EventTime>> LogInputs::first_stamp(const std::string& path) {
  constexpr size_t kHead = size_t{1} << 20U;
  auto archive = open_archive(files_, path);
  if (!archive.ok()) return archive.error();
  std::string head(kHead, '\0');
  size_t used = 0;
  while (used < head.size()) {
    const auto got = archive.value()->read(std::span(head).subspan(used));
    if (!got.ok()) return got.error();
    if (got.value() == 0) break;
    used += got.value();
  }
  FirstStamp first;
  make_parser()->parse(std::string_view(head).substr(0, used), true, first);
  return first.at();
}

std::optional<Error> LogInputs::read_one(const Input& input, Pipeline& pipeline,
                                         Progress& progress) {
  auto archive = open_archive(files_, input.path);
  if (!archive.ok()) return archive.error();
  const auto parser = make_parser();
  ParserFeed feed(*parser, pipeline.records());
  BlockLimits limits;
  limits.max_record_bytes = settings_.max_record_bytes;
  limits.block_bytes = std::min(limits.block_bytes, limits.max_record_bytes);
  uint64_t shown = 0;
  const auto bytes = read_blocks(*archive.value(), feed, limits, [&](const ReadProgress& at) {
    progress.add(at.consumed - shown);
    shown = at.consumed;
  });
  if (!bytes.ok()) return bytes.error();
  pipeline.file_ended(*parser, bytes.value());
  records_ += parser->records();
  // A log in a language that is not known is a log: the report says what it lacks.
  const bool foreign = parser->drops().contains("unknown_language");
  if (parser->records() == 0 && bytes.value() > 0 && !foreign) {
    warnings_.push_back(no_record(input.path, bytes.value()));
  }
  return std::nullopt;
}

}  // namespace ectoscope
