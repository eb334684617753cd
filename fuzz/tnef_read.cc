// Hostile TNEF streams: every item lies within the stream.
#include <cstdint>
#include <string_view>

#include "scan/worker/unpack/tnef_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view content(reinterpret_cast<const char*>(data), size);
  const auto tnef = redoubt::scan::read_tnef(content);
  if (tnef.items.size() > redoubt::scan::kTnefItemsMax) __builtin_trap();
  for (const auto& item : tnef.items) {
    if (item.content.empty()) continue;
    if (item.content.data() < content.data() || item.content.data() + item.content.size() > content.data() + size) {
      __builtin_trap();
    }
  }
  return 0;
}
