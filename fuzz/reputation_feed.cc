// Feeds as anybody may hand them to somebody who imports them: what is read is in the one form in which it is kept.
#include <cstdint>
#include <string_view>

#include "central/reputation/feed.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto feed = redoubt::central::read_feed({reinterpret_cast<const char*>(data), size});
  if (!feed) return 0;
  for (const auto& each : feed->indicators) {
    const auto again = redoubt::central::read_indicator(each.indicator.value);
    if (!again || *again != each.indicator) __builtin_trap();
  }
  return 0;
}
