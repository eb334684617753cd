// What the rule directory looks like: enough to tell whether any rule file was added, changed, moved or removed,
// without reading it. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace redoubt::central {

struct RuleFileMark {
  std::string path;
  uint64_t inode = 0, size_bytes = 0;
  int64_t changed_ns = 0;  // the later of content and metadata: a file that is moved in keeps its own time of content

  friend auto operator<=>(const RuleFileMark&, const RuleFileMark&) = default;
};

// In order of paths.
Result<std::vector<RuleFileMark>> look_at_rule_files(const std::string& directory);

}  // namespace redoubt::central
