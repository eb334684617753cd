// How a bench says what it measured: one JSON object a line on standard output. CPU time is that of the whole process.
#pragma once

#include <string>
#include <vector>

namespace redoubt::bench {

enum class Better { higher, lower };

struct Measurement {
  std::string name;
  std::string unit;
  Better better = Better::higher;
  std::vector<double> runs;  // the median is reported
  std::string note;
  // Another program's figure for the same work, measured in the same run; empty name: none.
  std::string peer;
  double peer_value = 0;
};

void report(const Measurement& measurement);
double median(std::vector<double> values);

// User and system time of this process so far, seconds.
double cpu_seconds();
// Monotonic clock, seconds.
double wall_seconds();

}  // namespace redoubt::bench
