// The words of a STIX 2.1 pattern. Values; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace redoubt::rules::stix {

enum class TokenKind : uint8_t { word, string, integer, real, timestamp, hex, binary, symbol, end };

struct Token {
  TokenKind kind = TokenKind::end;
  std::string text;   // of strings and the like: what stands between the quotes, escapes resolved
  size_t offset = 0;  // bytes from the start of the pattern
  size_t size = 0;    // bytes it takes there
};

// What cannot be read, and where.
struct PatternError {
  std::string_view code;
  size_t offset = 0;
  size_t size = 1;
  std::string message;
  std::string hint;
};

// The last token is the end.
tl::expected<std::vector<Token>, PatternError> read_tokens(std::string_view pattern);

}  // namespace redoubt::rules::stix
