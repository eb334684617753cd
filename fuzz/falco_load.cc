// Hostile Falco files: what anyone may upload is read, compiled, lowered and printed.
#include <cstdint>
#include <string_view>

#include "rules/falco/falco.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view source = size == 0 ? "" : std::string_view(reinterpret_cast<const char*>(data), size);
  redoubt::rules::falco::Loader loader;
  loader.add_file(source, "fuzz.yaml");
  for (const auto& rule : loader.finish().rules) {
    (void)redoubt::rules::falco::to_text(rule.filter);
    if (rule.lowered.expression) (void)redoubt::query::to_text(*rule.lowered.expression);
  }
  return 0;
}
