// Names of files that are not scanned, one mask a line: `Thumbs.db`, `*.tmp`, `drafts/*.doc`. A mask with a slash is of
// the path below the input folder, another one of the name alone. Blank lines and those that begin with # say nothing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace redoubt::gateway::folder {

constexpr size_t kMaskFileBytesMax = size_t{1} << 20;

class Masks {
 public:
  Masks() = default;
  explicit Masks(std::string_view lines);
  static Result<Masks> load(const std::string& path);

  // The path of a file below its input folder.
  bool match(const std::string& relative) const;
  size_t size() const { return masks_.size(); }

 private:
  std::vector<std::string> masks_;
};

}  // namespace redoubt::gateway::folder
