// A YARA rule that is in force. A value.
#pragma once

#include <string>

namespace redoubt::scan {

struct LoadedRule {
  std::string name;
  std::string file;
};

}  // namespace redoubt::scan
