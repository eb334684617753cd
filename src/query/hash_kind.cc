#include "query/hash_kind.h"

#include <algorithm>
#include <array>

namespace redoubt::query {

namespace {

constexpr auto kHashKinds = std::to_array<HashKind>({
    {".sha256", "SHA-256", 64}, {".sha1", "SHA-1", 40}, {"", "MD5", 32},  // an imphash is one too
});

}  // namespace

const HashKind& hash_kind(event::Field field) {
  return *std::find_if(kHashKinds.begin(), kHashKinds.end(),
                       [&](const HashKind& kind) { return event::info(field).name.ends_with(kind.ending); });
}

bool is_hash(const HashKind& kind, std::string_view text) {
  return text.size() == kind.digits && text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

}  // namespace redoubt::query
