// Letters of ASCII alone, whatever the locale: of protocols and formats, and where bytes must keep their places. What
// people wrote is compared by fold_case() (text.h).
#pragma once

namespace redoubt::base {

constexpr char lower_ascii(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace redoubt::base
