#include "process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>

namespace vouch::observe {
namespace {

/// Fields of /proc/self/stat by the numbers of proc(5).
class ProcessStat {
 public:
  ProcessStat() {
    std::ifstream file("/proc/self/stat");
    std::string line;
    std::getline(file, line);
    // The program's name, in parentheses, may itself hold spaces and parentheses.
    const auto name_end = line.rfind(')');
    if (name_end == std::string::npos) return;
    std::istringstream rest(line.substr(name_end + 1));
    fields_.assign(std::istream_iterator<std::string>(rest), {});
  }

  [[nodiscard]] std::optional<double> field(std::size_t number) const {
    constexpr std::size_t kFirst = 3;
    if (number - kFirst >= fields_.size()) return std::nullopt;
    return std::stod(fields_[number - kFirst]);
  }

 private:
  std::vector<std::string> fields_;
};

std::optional<double> boot_time() {
  std::ifstream file("/proc/stat");
  std::string word;
  while (file >> word) {
    double seconds = 0;
    if (word == "btime" && file >> seconds) return seconds;
    std::getline(file, word);
  }
  return std::nullopt;
}

std::optional<double> open_files() {
  std::error_code error;
  std::filesystem::directory_iterator entry("/proc/self/fd", error);
  double count = 0;
  while (!error && entry != std::filesystem::directory_iterator()) {
    count += 1;
    entry.increment(error);
  }
  if (error || count == 0) return std::nullopt;
  return count - 1;  // without the one that reads the directory
}

void add(std::vector<prometheus::MetricFamily>& families, const char* name, const char* help,
         prometheus::MetricType type, std::optional<double> value) {
  if (!value) return;
  prometheus::ClientMetric metric;
  if (type == prometheus::MetricType::Counter) {
    metric.counter.value = *value;
  } else {
    metric.gauge.value = *value;
  }
  families.push_back({name, help, type, {metric}});
}

}  // namespace

std::vector<prometheus::MetricFamily> process_metrics() {
  constexpr std::size_t kUserTime = 14;
  constexpr std::size_t kSystemTime = 15;
  constexpr std::size_t kStartTime = 22;
  constexpr std::size_t kVirtualBytes = 23;
  constexpr std::size_t kResidentPages = 24;
  using prometheus::MetricType;

  const ProcessStat stat;
  const auto ticks_per_second = static_cast<double>(sysconf(_SC_CLK_TCK));
  const auto page_bytes = static_cast<double>(sysconf(_SC_PAGESIZE));
  std::vector<prometheus::MetricFamily> families;
  if (const auto user = stat.field(kUserTime), system = stat.field(kSystemTime); user && system) {
    add(families, "process_cpu_seconds_total", "User and system CPU time spent in seconds.",
        MetricType::Counter, (*user + *system) / ticks_per_second);
  }
  if (const auto resident = stat.field(kResidentPages)) {
    add(families, "process_resident_memory_bytes", "Resident memory size in bytes.",
        MetricType::Gauge, *resident * page_bytes);
  }
  add(families, "process_virtual_memory_bytes", "Virtual memory size in bytes.", MetricType::Gauge,
      stat.field(kVirtualBytes));
  add(families, "process_open_fds", "Number of open file descriptors.", MetricType::Gauge,
      open_files());
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    add(families, "process_max_fds", "Maximum number of open file descriptors.", MetricType::Gauge,
        static_cast<double>(files.rlim_cur));
  }
  if (const auto start = stat.field(kStartTime), boot = boot_time(); start && boot) {
    add(families, "process_start_time_seconds",
        "Start time of the process since the Unix epoch in seconds.", MetricType::Gauge,
        *boot + *start / ticks_per_second);
  }
  return families;
}

}  // namespace vouch::observe
