#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <unistd.h>
#include <variant>
#include <vector>

#include "daemon/commands.h"
#include "daemon/debian_clusters.h"
#include "daemon/doctor_checks.h"
#include "daemon/doctor_report.h"
#include "daemon/exit_status.h"
#include "daemon/inputs.h"
#include "daemon/load_config.h"
#include "daemon/output_file.h"
#include "daemon/pipeline.h"
#include "daemon/progress.h"
#include "daemon/server_facts.h"
#include "daemon/server_link.h"
#include "platform/posix_files.h"
#include "platform/posix_log_files.h"

namespace ectoscope {
namespace {

constexpr uint64_t kHeadBytes = uint64_t{8} << 20U;

/// The first bytes of files: what their settings were shows there.
class Heads final : public Files {
 public:
  explicit Heads(Files& files) : files_(files) {}

  Result<std::unique_ptr<InputFile>> open(const std::string& path) override {
    auto file = files_.open(path);
    if (!file.ok()) return file.error();
    return std::unique_ptr<InputFile>(std::make_unique<Head>(std::move(file).value()));
  }

 private:
  class Head final : public InputFile {
   public:
    explicit Head(std::unique_ptr<InputFile> file) : file_(std::move(file)) {}

    Result<size_t> read(std::span<char> buffer) override {
      auto got = file_->read(buffer.first(std::min<uint64_t>(buffer.size(), left_)));
      if (got.ok()) left_ -= got.value();
      return got;
    }
    [[nodiscard]] uint64_t size() const override { return std::min(file_->size(), left_); }

   private:
    std::unique_ptr<InputFile> file_;
    uint64_t left_ = kHeadBytes;
  };

  Files& files_;
};

LogFacts read_log_head(Files& files, const Config& config, const InputConfig& input,
                       const std::string& path) {
  LogFacts log;
  log.path = path;
  if (path.empty()) return log;
  Heads heads(files);
  LogInputs inputs(heads, input);
  Pipeline pipeline(config, {}, {.examples = 0});
  Progress progress(false, 0);
  if (const auto error = inputs.open({path})) {
    log.problem = error->message;
    return log;
  }
  if (const auto error = inputs.read(pipeline, progress)) log.problem = error->message;
  const AnalysisReport report = pipeline.finish();
  log.records = report.input.records;
  log.statements = report.input.statements;
  log.fidelity = report.input.fidelity;
  return log;
}

/// One server, as the configuration or the command line names it.
struct Patient {
  std::string server;
  PostgresConfig postgres;
  std::string log_file;  // empty: where the server says
  InputConfig input;
};

int examine(const Patient& patient, Files& files, const Config& config, std::ostream& out) {
  const auto database = connect_postgres(patient.postgres, "");
  const auto facts = read_server_facts(*database);
  if (const auto* error = std::get_if<DatabaseError>(&facts)) {
    std::fprintf(stderr, "ectoscope doctor: %s\n", error->message.c_str());
    return error->reason == DatabaseError::Reason::kConfiguration ? kExitUsage : kExitInput;
  }
  const auto& server = std::get<ServerFacts>(facts);
  const std::string path = patient.log_file.empty() ? server.log_file : patient.log_file;
  const LogFacts log = read_log_head(files, config, patient.input, path);
  const Diagnosis diagnosis = diagnose(server, log);
  write_diagnosis(patient.server, server, log, diagnosis, out);
  return diagnosis.hides() ? kExitGate : kExitDone;
}

/// The newest file that the server's first pattern fits; the pattern itself when there is none.
std::string newest_log(const ServerConfig& server) {
  if (server.logs.empty()) return "";
  const auto log_files = make_posix_log_files();
  const auto found = log_files->list(server.logs.front());
  if (!found.ok() || found.value().empty()) return server.logs.front();
  const auto modified = [&log_files](const std::string& path) {
    const auto facts = log_files->facts(path);
    return facts.ok() ? facts.value().modified_us : 0;
  };
  return *std::max_element(found.value().begin(), found.value().end(),
                           [&](const auto& a, const auto& b) { return modified(a) < modified(b); });
}

std::vector<Patient> patients_of(const DoctorArguments& arguments, const Config& config) {
  std::vector<Patient> patients;
  if (!arguments.dsn.empty()) {
    PostgresConfig postgres = default_postgres();
    postgres.dsn = arguments.dsn;
    patients.push_back({config.server(), postgres, arguments.log_file, config.input()});
    return patients;
  }
  for (const ServerConfig& server : config.servers()) {
    if (server.postgres.dsn.empty()) continue;
    patients.push_back({server.name, server.postgres, newest_log(server), server.input});
  }
  return patients;
}

int list_clusters(Files& files, const std::string& root) {
  const auto log_files = make_posix_log_files();
  const auto clusters = find_debian_clusters(files, *log_files, root);
  if (clusters.empty()) {
    std::fprintf(
        stderr, "ectoscope doctor: %s/etc/postgresql: no cluster there; name a server with --dsn\n",
        root.c_str());
    return kExitInput;
  }
  const auto error = write_stdout([&](std::ostream& out) { write_clusters(clusters, out); });
  return error ? kExitInput : kExitDone;
}

}  // namespace

int run_doctor(const DoctorArguments& arguments) {
  const auto files = make_posix_files();
  if (arguments.clusters) return list_clusters(*files, arguments.root);
  const auto config = load_config(*files, arguments.config_file);
  if (!config.ok()) {
    std::fprintf(stderr, "%s\n", config.error().message.c_str());
    return kExitUsage;
  }
  const std::vector<Patient> patients = patients_of(arguments, config.value());
  if (patients.empty()) {
    std::fprintf(stderr,
                 "ectoscope doctor: %s: no server has postgres: {dsn: ...}, so none can be asked\n",
                 arguments.config_file.c_str());
    return kExitUsage;
  }
  int status = kExitDone;
  std::ostringstream text;
  for (const Patient& patient : patients) {
    if (!text.view().empty()) text << "\n";
    status = std::max(status, examine(patient, *files, config.value(), text));
  }
  const auto error = write_stdout([&text](std::ostream& out) { out << text.view(); });
  if (error) {
    std::fprintf(stderr, "ectoscope doctor: %s\n", error->message.c_str());
    return kExitInput;
  }
  return status;
}

}  // namespace ectoscope
