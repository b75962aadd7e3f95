#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <thread>
#include <utility>

#include "daemon/commands.h"
#include "daemon/exit_status.h"
#include "daemon/load_config.h"
#include "daemon/pipeline.h"
#include "daemon/recordings.h"
#include "daemon/replay.h"
#include "daemon/serve.h"
#include "outputs/listener.h"
#include "platform/posix_files.h"
#include "platform/system_clock.h"

namespace ectoscope {
namespace {

namespace fs = std::filesystem;

constexpr const char* kUsualAddress = "127.0.0.1:9788";
constexpr const char* kAnyAddress = "127.0.0.1:0";
constexpr uintmax_t kRotateBytes = uintmax_t{32} * 1024 * 1024;

int fail(const std::string& message) {
  std::fprintf(stderr, "ectoscope demo: %s\n", message.c_str());
  return kExitInput;
}

int report_once(std::vector<std::string> recordings) {
  std::puts(
      "This is `ectoscope analyze` over logs that PostgreSQL wrote of an Ecto application, a shop: "
      "a\n"
      "part with trace ids on its statements, a part with Ecto's defaults and no tags at all. "
      "Costliest\n"
      "first: what happened, where, the change that mends it, and the queries of the worst "
      "request.\n");
  std::fflush(stdout);
  AnalyzeArguments arguments;
  arguments.files = std::move(recordings);
  arguments.in_full = 8;
  const int status = run_analyze(arguments);
  if (status == kExitDone) {
    std::printf("\nAll of them in full: ectoscope analyze %s/*\n",
                fs::path(arguments.files.front()).parent_path().c_str());
  }
  return status;
}

/// A folder that is gone when this is.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "ectoscope-demo-XXXXXX").string();
    if (mkdtemp(name.data()) != nullptr) path_ = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }

  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// Writes the recordings as PostgreSQL would, on a thread of its own.
class LogWriter {
 public:
  LogWriter(fs::path log, std::vector<std::string> recordings)
      : log_(std::move(log)), replay_(std::move(recordings)) {
    replay_.begin(clock_->wall());
    write();  // before the daemon looks: there is something to see at once
    thread_ = std::thread([this] {
      while (!stopping_) {
        write();
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
      }
    });
  }
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;
  ~LogWriter() {
    stopping_ = true;
    thread_.join();
  }

 private:
  void write() {
    const std::string lines = replay_.due(clock_->wall());
    if (lines.empty()) return;
    std::error_code error;
    if (fs::file_size(log_, error) > kRotateBytes && !error) {
      fs::rename(log_, fs::path(log_).concat(".1"), error);  // as logrotate does
    }
    std::ofstream(log_, std::ios::binary | std::ios::app) << lines;
  }

  fs::path log_;
  Replay replay_;
  std::unique_ptr<Clock> clock_ = make_system_clock();
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

/// Where to listen: the usual port, or any when another process has it.
std::string address_for(const DemoArguments& arguments) {
  if (!arguments.listen_address.empty()) return arguments.listen_address;
  return listen_on(kUsualAddress).ok() ? kUsualAddress : kAnyAddress;
}

void say_where(const std::string& url) {
  std::printf(
      "ectoscope is watching the log of a small Ecto shop, recorded traffic written as if it were\n"
      "happening now.\n\n"
      "  findings   %s\n"
      "  queries    %squeries\n"
      "  sources    %ssources\n"
      "  metrics    %smetrics\n"
      "  API        %sapi/v1/findings\n\n"
      "Ctrl-C ends it; nothing stays behind.\n",
      url.c_str(), url.c_str(), url.c_str(), url.c_str(), url.c_str());
  std::fflush(stdout);
}

}  // namespace

int run_demo(const DemoArguments& arguments) {
  auto recordings = find_recordings();
  if (!recordings.ok()) return fail(recordings.error().message);
  if (arguments.once) return report_once(std::move(recordings.value()));
  const auto files = make_posix_files();
  auto texts = read_recordings(*files, recordings.value());
  if (!texts.ok()) return fail(texts.error().message);
  const TemporaryFolder folder;
  if (folder.path().empty()) return fail("cannot make a folder for its log; set TMPDIR");
  const fs::path log = folder.path() / "postgresql-shop.log";
  const std::string yaml = "servers: [{name: shop, logs: [\"" + log.string() +
                           "\"], start_at: beginning}]\nstate: {directory: \"" +
                           (folder.path() / "state").string() + "\"}\n";
  auto config = parse_config(yaml, "demo", settings_tables());
  if (!config.ok()) return fail(config.error().message);
  block_signals();
  ServeArguments serving;
  serving.listen_address = address_for(arguments);
  serving.log_level = LogLevel::kWarn;
  const LogWriter writer(log, std::move(texts.value()));
  return serve(std::move(config.value()), serving, &say_where);
}

}  // namespace ectoscope
