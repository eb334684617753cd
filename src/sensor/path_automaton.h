// The path patterns of a policy as one automaton that goes over a path name by name: the tables that the programs in
// the kernel step through (bpf/path_filter.h). Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sensor/filter_record.h"
#include "sensor/policy.h"

namespace redoubt::sensor {

class PathAutomaton {
 public:
  struct Edge {
    uint32_t from = 0;
    std::string name;
    uint32_t to = 0;
  };

  // Refuses patterns that are not as policy.h says, and what would need more states than the kernel's tables hold.
  static Result<PathAutomaton> compile(const SensorPolicy& policy);

  // The rows of rd_path_state by their number, and the edges between them: RD_PATH_DEAD, RD_PATH_FILES and
  // RD_PATH_CGROUPS come first.
  const std::vector<rd_path_state>& states() const { return states_; }
  const std::vector<Edge>& edges() const { return edges_; }
  // Which kinds of pattern there are: rd_path_flag.
  uint32_t kinds() const { return kinds_; }

  // What the patterns say of an absolute path, from RD_PATH_FILES or RD_PATH_CGROUPS on.
  uint32_t flags_of(uint32_t start, std::string_view path) const;

 private:
  class Builder;

  std::vector<rd_path_state> states_;
  std::vector<Edge> edges_;  // sorted by state and name
  uint32_t kinds_ = 0;
};

}  // namespace redoubt::sensor
