#include "bench/report.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace redoubt::bench {

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) { return static_cast<double>(time.tv_sec) + time.tv_usec / 1e6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void report(const Measurement& measurement) {
  nlohmann::ordered_json line;
  line["name"] = measurement.name;
  line["value"] = median(measurement.runs);
  line["unit"] = measurement.unit;
  line["better"] = measurement.better == Better::higher ? "higher" : "lower";
  line["peer"] = nullptr;
  line["peer_value"] = nullptr;
  line["ratio"] = nullptr;
  if (!measurement.peer.empty()) {
    line["peer"] = measurement.peer;
    line["peer_value"] = measurement.peer_value;
    if (measurement.peer_value != 0) line["ratio"] = median(measurement.runs) / measurement.peer_value;
  }
  line["runs"] = measurement.runs.size();
  line["note"] = measurement.note;
  std::printf("%s\n", line.dump().c_str());
  std::fflush(stdout);
}

}  // namespace redoubt::bench
