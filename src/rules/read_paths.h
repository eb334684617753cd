// Which files' opening for reading a rule asks about. Hosts tell of reads only where they are asked to: there are too
// many.
#pragma once

#include <string>
#include <vector>

#include "query/expression.h"

namespace redoubt::rules {

struct ReadPaths {
  // Absolute path patterns as hosts take them: "/etc/shadow" is that file, "/etc/*" what lies in the directory,
  // "/etc/**" what lies anywhere below it. Sorted, each once.
  std::vector<std::string> patterns;
  // The condition is true of reads of other files too, which no pattern says: it goes by a name anywhere, or by a
  // regular expression.
  bool elsewhere = false;
};

// Of a normalized condition. Empty for one that does not name the action `read`.
ReadPaths read_paths_of(const query::Expression& condition);

}  // namespace redoubt::rules
