// Hostile OpenIOC files: what anyone may upload is parsed, lowered and printed.
#include <cstdint>
#include <string_view>

#include "rules/openioc/rule.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view source = size == 0 ? "" : std::string_view(reinterpret_cast<const char*>(data), size);
  const auto file = redoubt::rules::openioc::read_openioc(source, "fuzz.ioc");
  for (const auto& loaded : file.rules) (void)redoubt::query::to_text(loaded.rule.expression);
  return 0;
}
