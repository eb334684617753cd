// Text as people and hostile senders write it: Unicode case folding, UTF-8 repair, nearest names for "did you mean".
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace redoubt::base {

// Simple case folding (Unicode CaseFolding.txt, status C and S) of UTF-8 text, code point by code point; a byte that is
// no valid UTF-8 stays as it is. Used by every comparison that ignores case, in the matcher and in SQL.
std::string fold_case(std::string_view text);
// The same into a buffer that is reused: no allocation once it has grown.
void fold_case_into(std::string_view text, std::string& out);

// True if the bytes are valid UTF-8.
bool is_utf8(std::string_view bytes);
// Valid UTF-8 is returned as it is; every other byte becomes the four characters \xHH.
std::string escape_invalid_utf8(std::string_view bytes);

// The names closest to `name` (Damerau-Levenshtein, without case), best first, at most `count`; far ones are left out.
std::vector<std::string> nearest_names(std::string_view name, std::span<const std::string_view> names, size_t count);

}  // namespace redoubt::base
