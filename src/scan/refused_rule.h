// A YARA rule that does not compile and is left out, as its author needs to hear it. A value.
#pragma once

#include <cstdint>
#include <string>

namespace redoubt::scan {

struct RefusedRule {
  std::string file;
  uint64_t line = 0;
  std::string message;  // "undefined string "$b""; starts with the rule's name where it is known
};

}  // namespace redoubt::scan
