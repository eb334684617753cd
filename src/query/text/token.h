// Tokens of hunting text and the diagnostics that point at them. Inside text/ only. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "base/result.h"
#include "query/diagnostic.h"

namespace redoubt::query::text {

template <class T>
using Outcome = tl::expected<T, Diagnostic>;

// A stretch of the source, in bytes.
struct Span {
  size_t offset = 0;
  size_t size = 0;
};

enum class TokenKind : uint8_t { end, word, string, symbol };

struct Token {
  TokenKind kind = TokenKind::end;
  Span span;
  std::string text;     // a word or symbol as written; a string with its escapes resolved
  std::string pattern;  // string: the same with * and ? as wildcards
  std::string regex;    // string: as written, only \" and \' resolved
  Span bad_escape;      // string: an escape that is none; of no size where there is none

  bool is_symbol(std::string_view symbol) const { return kind == TokenKind::symbol && text == symbol; }
  // A word, in any case; `keyword` in capitals.
  bool is_keyword(std::string_view keyword) const;
};

// The parts of a diagnostic besides its place.
struct Complaint {
  std::string code;
  std::string message;
  std::string hint;
};

tl::unexpected<Diagnostic> complain(std::string_view source, Span at, Complaint complaint);

}  // namespace redoubt::query::text

// REDOUBT_OUTCOME(auto x, f()): x is the value of f(), or the function returns f()'s diagnostic.
#define REDOUBT_OUTCOME_INNER(tmp, declaration, ...)                                       \
  auto tmp = (__VA_ARGS__);                                                                \
  if (!tmp) return ::tl::unexpected<::redoubt::query::Diagnostic>(std::move(tmp).error()); \
  declaration = *std::move(tmp)
#define REDOUBT_OUTCOME(declaration, ...) \
  REDOUBT_OUTCOME_INNER(REDOUBT_CONCAT(outcome_, __COUNTER__), declaration, __VA_ARGS__)
