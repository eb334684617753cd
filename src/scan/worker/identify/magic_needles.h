// What a content must have to pass one of libmagic's tests, as far as its first entry tells: strings, and where they
// have to be. A content without them does not pass; one with them may. Values; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "scan/worker/identify/magic_database.h"

namespace redoubt::scan::magic {

// What a content must have, in lower case: one of these.
struct Needle {
  std::vector<std::string> any;
  std::optional<size_t> place;  // none: anywhere
};
// All of them; none: not known.
using Needles = std::vector<Needle>;

Needles needles_of(const Entry& test);

// What libmagic takes for a blank, of which more or fewer may stand in a text than in its strings.
constexpr bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

}  // namespace redoubt::scan::magic
