#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <sys/resource.h>
#include <system_error>
#include <unistd.h>

#include "outputs/metric_families.h"

namespace ectoscope {
namespace {

using prometheus::MetricType;

/// The fields of /proc/self/stat after the command's name, which may hold blanks: [0] is field 3.
std::vector<std::string> stat_fields() {
  std::ifstream file("/proc/self/stat");
  const std::string line{std::istreambuf_iterator<char>(file), {}};
  const size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream rest(line.substr(name_end + 1));
  return {std::istream_iterator<std::string>(rest), {}};
}

double boot_time() {
  std::ifstream file("/proc/stat");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("btime ")) return std::stod(line.substr(6));
  }
  return 0;
}

void add(std::vector<prometheus::MetricFamily>& families, std::string_view name,
         std::string_view help, MetricType type, double value) {
  families.push_back(family_of(name, help, type));
  add_value(families.back(), {}, {}, value);
}

}  // namespace

std::vector<prometheus::MetricFamily> process_families() {
  constexpr size_t kUserTime = 11;
  constexpr size_t kSystemTime = 12;
  constexpr size_t kStartTime = 19;
  constexpr size_t kVirtualBytes = 20;
  constexpr size_t kResidentPages = 21;
  std::vector<prometheus::MetricFamily> families;
  const std::vector<std::string> fields = stat_fields();
  if (fields.size() > kResidentPages) {
    const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
    const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
    add(families, "process_cpu_seconds_total",
        "CPU time of this process. Its rate is the share of a core that ectoscope takes from the "
        "database's machine.",
        MetricType::Counter,
        (std::stod(fields[kUserTime]) + std::stod(fields[kSystemTime])) / ticks);
    add(families, "process_resident_memory_bytes",
        "Memory of this process. Steady growth over days is a fault to report.", MetricType::Gauge,
        std::stod(fields[kResidentPages]) * page);
    add(families, "process_virtual_memory_bytes", "Address space of this process.",
        MetricType::Gauge, std::stod(fields[kVirtualBytes]));
    add(families, "process_start_time_seconds",
        "When this process started, since 1970. Counters begin at zero there.", MetricType::Gauge,
        boot_time() + std::stod(fields[kStartTime]) / ticks);
  }
  std::error_code error;
  const std::filesystem::directory_iterator open("/proc/self/fd", error);
  if (!error) {
    // The one that this reads the folder with is not counted.
    const auto count = std::distance(begin(open), end(open)) - 1;
    add(families, "process_open_fds", "Open files and connections of this process.",
        MetricType::Gauge, static_cast<double>(count));
  }
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    add(families, "process_max_fds", "How many process_open_fds may become.", MetricType::Gauge,
        static_cast<double>(limit.rlim_cur));
  }
  return families;
}

}  // namespace ectoscope
