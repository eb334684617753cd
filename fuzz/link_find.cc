// Hostile texts: the links in them.
#include <cstdint>
#include <string_view>

#include "scan/wire.h"
#include "scan/worker/link_finder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  redoubt::scan::Links links;
  links.add(text);
  links.add_from_text(text);
  const auto found = links.take();
  if (found.size() > redoubt::scan::wire::kLinksMax) __builtin_trap();
  for (const auto& link : found) {
    if (link.size() > redoubt::scan::wire::kLinkBytesMax || link.find('\n') != std::string::npos) __builtin_trap();
  }
  return 0;
}
