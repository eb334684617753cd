// Hostile ATT&CK bundles.
#include <cstdint>
#include <string_view>

#include "rules/attack/matrix.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view source = size == 0 ? "" : std::string_view(reinterpret_cast<const char*>(data), size);
  (void)redoubt::rules::attack::read_bundle(source);
  return 0;
}
