#include "query/text/lexer.h"

#include <array>

#include "base/hash.h"
#include "base/text.h"
#include "query/expression.h"
#include "query/hunt.h"

namespace redoubt::query::text {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool is_word_char(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte > 0x20 && byte != 0x7F && std::string_view("()|,=!<>\"'").find(c) == std::string_view::npos;
}

constexpr std::array<std::string_view, 13> kSymbols{"==", "!=", "<>", ">=", "<=", "=", "!",
                                                    "<",  ">",  "(",  ")",  ",",  "|"};

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) {}

  Outcome<std::vector<Token>> run() {
    std::vector<Token> tokens;
    while (at_ < source_.size()) {
      if (is_blank(source_[at_])) {
        ++at_;
        continue;
      }
      REDOUBT_OUTCOME(Token token, next());
      tokens.push_back(std::move(token));
    }
    tokens.push_back({.kind = TokenKind::end, .span = {source_.size(), 0}});
    return tokens;
  }

 private:
  Outcome<Token> next() {
    const char c = source_[at_];
    if (c == '"' || c == '\'') return string(c);
    for (const std::string_view symbol : kSymbols) {
      if (source_.substr(at_).starts_with(symbol)) return taken(TokenKind::symbol, symbol.size());
    }
    size_t size = 0;
    while (at_ + size < source_.size() && is_word_char(source_[at_ + size])) ++size;
    if (size == 0) return complain(source_, {at_, 1}, {"Q104", "a control character cannot stand here", ""});
    return taken(TokenKind::word, size);
  }

  Token taken(TokenKind kind, size_t size) {
    Token token{.kind = kind, .span = {at_, size}, .text = std::string(source_.substr(at_, size))};
    at_ += size;
    return token;
  }

  Outcome<Token> string(char quote) {
    Token token{.kind = TokenKind::string, .span = {at_, 0}};
    size_t i = at_ + 1;
    while (i < source_.size() && source_[i] != quote) {
      const size_t size = source_[i] == '\\' ? escape(i, token) : plain(i, token);
      i += size;
    }
    if (i >= source_.size()) {
      return complain(source_, {at_, 1},
                      {"Q105", "this string is not closed", "close it with " + std::string(1, quote)});
    }
    token.span.size = i + 1 - at_;
    const bool marked = has_mark(token.text);
    if (marked) return complain(source_, token.span, {"Q104", "U+F0000 and U+F0001 cannot stand in a string", ""});
    token.text = base::escape_invalid_utf8(token.text);
    token.pattern = base::escape_invalid_utf8(token.pattern);
    at_ = i + 1;
    return token;
  }

  static bool has_mark(std::string_view text) {
    return text.find(kAnyRunUtf8) != std::string_view::npos || text.find(kAnyOneUtf8) != std::string_view::npos;
  }

  size_t plain(size_t i, Token& token) const {
    const char c = source_[i];
    token.text += c;
    token.regex += c;
    if (c == '*' || c == '?') {
      token.pattern += c == '*' ? kAnyRunUtf8 : kAnyOneUtf8;
    } else {
      token.pattern += c;
    }
    return 1;
  }

  // The escape at `i`; its size.
  size_t escape(size_t i, Token& token) const {
    const char c = i + 1 < source_.size() ? source_[i + 1] : '\0';
    token.regex += c == '"' || c == '\'' ? std::string(1, c) : std::string(source_.substr(i, 2));
    std::string meant;
    size_t size = 2;
    if (c != '\0' && std::string_view("\"'\\*?").find(c) != std::string_view::npos) meant = c;
    if (c == 'n') meant = "\n";
    if (c == 't') meant = "\t";
    if (c == 'r') meant = "\r";
    if (c == 'x') {
      const auto byte = base::from_hex(source_.substr(i + 2, 2));
      if (byte && byte->size() == 1) {
        meant = *byte;
        token.regex += source_.substr(i + 2, 2);
        size = 4;
      }
    }
    if (meant.empty() && token.bad_escape.size == 0) token.bad_escape = {i, 2};
    token.text += meant;
    token.pattern += meant;
    return size;
  }

  std::string_view source_;
  size_t at_ = 0;
};

}  // namespace

Outcome<std::vector<Token>> lex(std::string_view source) {
  if (source.size() > kHuntTextMax) {
    return complain("", {}, {"Q101", "the text is longer than " + std::to_string(kHuntTextMax) + " bytes", ""});
  }
  if (!base::is_utf8(source)) return complain("", {}, {"Q103", "the text is not UTF-8", ""});
  return Lexer(source).run();
}

}  // namespace redoubt::query::text
