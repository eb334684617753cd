// Hostile rule files: where their statements begin and end.
#include <cstdint>
#include <string>
#include <string_view>

#include "scan/worker/rule_splitter.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  size_t end = 0;
  const auto statements = redoubt::scan::split_rules(text);
  for (const auto& statement : statements) {
    // In order, without overlap, never empty: leaving one out always makes progress.
    if (statement.start < end || statement.end <= statement.start || statement.end > size) __builtin_trap();
    end = statement.end;
  }
  for (const auto& statement : statements) redoubt::scan::blank(text, statement);
  if (!redoubt::scan::split_rules(text).empty()) __builtin_trap();
  return 0;
}
