// Hostile STIX patterns: what stands in a bundle is parsed, lowered and printed.
#include <cstdint>
#include <string_view>

#include "rules/stix/pattern.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view source = size == 0 ? "" : std::string_view(reinterpret_cast<const char*>(data), size);
  const auto pattern = redoubt::rules::stix::read_pattern(source);
  if (!pattern) return 0;
  const auto expression = redoubt::rules::lower_criterion(pattern->criterion);
  if (expression) (void)redoubt::query::to_text(*expression);
  return 0;
}
