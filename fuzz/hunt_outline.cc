// Outlines as anybody may send them, and hunting text made into one: what is printed is read again, and what was read
// is printed to the same meaning.
#include <cstdint>
#include <string_view>

#include "central/api/outline_json.h"
#include "query/hunt.h"
#include "query/outline.h"

namespace {

constexpr redoubt::base::Time kNow{1'790'000'000'000'000};

void check_text(std::string_view text) {
  auto outline = redoubt::query::outline_of(text);
  if (!outline) return;
  const auto hunt = redoubt::query::parse_hunt(text, kNow);
  if (!hunt) {
    (void)path_to(*outline, text, hunt.error());
    return;
  }
  const auto printed = print(*outline);
  // Only its length may keep it from being printed: values in quotes may need more bytes than they were written with.
  if (!printed) {
    if (text.size() < redoubt::query::kHuntTextMax / 8) __builtin_trap();
    return;
  }
  const auto again = redoubt::query::parse_hunt(*printed, kNow);
  if (again ? to_text(again->where) != to_text(hunt->where) : printed->size() <= redoubt::query::kHuntTextMax) {
    __builtin_trap();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_text(text);
  auto outline = redoubt::central::parse_outline(text);
  if (!outline) return 0;
  const auto printed = print(*outline);
  if (!printed) return 0;
  auto again = redoubt::query::outline_of(*printed);
  if (!again) {
    // Private-use characters that stand for wildcards, and lengths, are the language's to refuse.
    if (again.error().code != "Q104" && again.error().code != "Q101" && again.error().code != "Q204") __builtin_trap();
    return 0;
  }
  if (again->pipes.size() != outline->pipes.size()) __builtin_trap();
  return 0;
}
