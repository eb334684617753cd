// Hostile rule files: what anyone may upload as Sigma is parsed, lowered and printed.
#include <cstdint>
#include <string_view>

#include "rules/sigma/rule.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view source = size == 0 ? "" : std::string_view(reinterpret_cast<const char*>(data), size);
  auto file = redoubt::rules::sigma::read_rules(source, "fuzz.yml");
  (void)redoubt::rules::sigma::link_correlations(std::move(file.correlations), file.rules, file.scopes, file.refusals);
  for (const auto& rule : file.rules) (void)redoubt::query::to_text(rule.expression);
  return 0;
}
