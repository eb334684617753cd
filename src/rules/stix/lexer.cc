#include "rules/stix/lexer.h"

#include <array>

#include "rules/stix/problem.h"

namespace redoubt::rules::stix {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool starts_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool continues_word(char c) { return starts_word(c) || is_digit(c) || c == '-'; }

// Longer ones first.
constexpr std::array<std::string_view, 17> kSymbols = {"==", "!=", "<>", "<=", ">=", "=", "<", ">", "[",
                                                       "]",  "(",  ")",  ",",  ".",  ":", "*", "+"};

class PatternLexer {
 public:
  explicit PatternLexer(std::string_view pattern) : pattern_(pattern) {}

  tl::expected<std::vector<Token>, PatternError> read() {
    std::vector<Token> tokens;
    while (skip_blanks() && at_ < pattern_.size()) {
      Token token;
      token.offset = at_;
      if (!read_token(token)) break;
      token.size = at_ - token.offset;
      tokens.push_back(std::move(token));
    }
    if (error_.message.empty()) {
      tokens.push_back({.kind = TokenKind::end, .text = "", .offset = pattern_.size(), .size = 1});
      return tokens;
    }
    return tl::unexpected<PatternError>(std::move(error_));
  }

 private:
  char peek(size_t ahead = 0) const { return at_ + ahead < pattern_.size() ? pattern_[at_ + ahead] : '\0'; }

  bool fail_at(size_t offset, std::string message) {
    error_ = {.code = code::kGrammar, .offset = offset, .size = 1, .message = std::move(message), .hint = ""};
    return false;
  }

  // Comments too; false if one has no end.
  bool skip_blanks() {
    while (at_ < pattern_.size()) {
      const char c = peek();
      if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
        ++at_;
      } else if (c == '/' && peek(1) == '/') {
        at_ = std::min(pattern_.size(), pattern_.find('\n', at_));
      } else if (c == '/' && peek(1) == '*') {
        const size_t close = pattern_.find("*/", at_ + 2);
        if (close == std::string_view::npos) return fail_at(at_, "the comment has no end");
        at_ = close + 2;
      } else {
        return true;
      }
    }
    return true;
  }

  bool read_token(Token& token) {
    const char c = peek();
    if (c == '\'') return read_string(TokenKind::string, token);
    if (peek(1) == '\'') {
      if (c == 't') return read_string(TokenKind::timestamp, token);
      if (c == 'h') return read_string(TokenKind::hex, token);
      if (c == 'b') return read_string(TokenKind::binary, token);
    }
    if (starts_word(c)) return read_word(token);
    if (is_digit(c) || ((c == '-' || c == '+') && is_digit(peek(1)))) return read_number(token);
    for (const std::string_view symbol : kSymbols) {
      if (pattern_.substr(at_).starts_with(symbol)) {
        token.kind = TokenKind::symbol;
        token.text = std::string(symbol);
        at_ += symbol.size();
        return true;
      }
    }
    return fail_at(at_, "a character that no pattern has here");
  }

  bool read_word(Token& token) {
    const size_t first = at_;
    while (continues_word(peek())) ++at_;
    token.kind = TokenKind::word;
    token.text = std::string(pattern_.substr(first, at_ - first));
    return true;
  }

  bool read_number(Token& token) {
    const size_t first = at_;
    token.kind = TokenKind::integer;
    if (peek() == '-' || peek() == '+') ++at_;
    while (is_digit(peek())) ++at_;
    if (peek() == '.' && is_digit(peek(1))) {
      token.kind = TokenKind::real;
      ++at_;
      while (is_digit(peek())) ++at_;
    }
    token.text = std::string(pattern_.substr(first, at_ - first));
    if (token.text.starts_with('+')) token.text.erase(0, 1);
    return true;
  }

  bool read_string(TokenKind kind, Token& token) {
    const size_t first = at_;
    at_ += kind == TokenKind::string ? 1 : 2;
    token.kind = kind;
    while (at_ < pattern_.size() && peek() != '\'') {
      if (peek() == '\\' && at_ + 1 < pattern_.size()) ++at_;
      token.text += pattern_[at_++];
    }
    if (at_ == pattern_.size()) return fail_at(first, "the string has no end");
    ++at_;
    return true;
  }

  std::string_view pattern_;
  size_t at_ = 0;
  PatternError error_{};
};

}  // namespace

tl::expected<std::vector<Token>, PatternError> read_tokens(std::string_view pattern) {
  return PatternLexer(pattern).read();
}

}  // namespace redoubt::rules::stix
