#include "rules/sigma/condition.h"

#include <algorithm>

#include "base/text.h"

namespace redoubt::rules::sigma {

namespace {

struct Token {
  std::string_view text;  // "" at the end
  size_t offset = 0;
};

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '*';
}

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// A word, or one character of anything else.
std::vector<Token> tokenize(std::string_view text) {
  std::vector<Token> tokens;
  for (size_t i = 0; i < text.size();) {
    if (is_blank(text[i])) {
      ++i;
      continue;
    }
    size_t end = i + 1;
    if (is_word(text[i])) {
      while (end < text.size() && is_word(text[end])) ++end;
    } else {
      while (end < text.size() && (text[end] & 0xC0) == 0x80) ++end;
    }
    tokens.push_back({text.substr(i, end - i), i});
    i = end;
  }
  tokens.push_back({"", text.size()});
  return tokens;
}

// `*` is any run of characters; patterns have no escapes.
bool matches_glob(std::string_view pattern, std::string_view name) {
  size_t p = 0;
  size_t n = 0;
  size_t star = std::string_view::npos;
  size_t retry = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      retry = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++retry;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

class ConditionParser {
 public:
  ConditionParser(std::string_view text, const ConditionScope& scope, Problems& problems)
      : tokens_(tokenize(text)), scope_(scope), problems_(problems) {}

  Condition parse() {
    Condition condition = parse_or(0);
    if (problems_.first() || peek().text.empty()) return condition;
    if (peek().text == "|") {
      refuse(code::kAggregation, peek(), "aggregations in a condition are not supported", "write a correlation rule");
    } else {
      refuse(code::kCondition, peek(), "'and' or 'or' expected before '" + std::string(peek().text) + "'",
             operator_hint(peek().text));
    }
    return condition;
  }

 private:
  const Token& peek(size_t ahead = 0) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }
  void advance() { at_ = std::min(at_ + 1, tokens_.size() - 1); }
  bool accept(std::string_view text) {
    if (peek().text != text) return false;
    advance();
    return true;
  }

  static std::string operator_hint(std::string_view text) {
    const std::string folded = base::fold_case(text);
    return folded != text && (folded == "and" || folded == "or" || folded == "not") ? "write '" + folded + "'" : "";
  }

  void refuse(std::string_view code, const Token& token, std::string message, std::string hint = "") {
    Place place = scope_.place;
    if (scope_.text_offset) {
      place.column += *scope_.text_offset + token.offset;
      place.length = std::max<size_t>(1, token.text.size());
    }
    problems_.add(code, place, std::move(message), std::move(hint));
  }

  Condition parse_or(int depth) { return parse_chain(ConditionKind::any, "or", depth); }

  Condition parse_chain(ConditionKind kind, std::string_view word, int depth) {
    const auto next = [&] {
      return kind == ConditionKind::any ? parse_chain(ConditionKind::all, "and", depth) : parse_not(depth);
    };
    Condition first = next();
    if (peek().text != word) return first;
    Condition chain{.kind = kind, .identifier = "", .children = {}};
    chain.children.push_back(std::move(first));
    while (!problems_.first() && accept(word)) chain.children.push_back(next());
    return chain;
  }

  Condition parse_not(int depth) {
    if (depth > kConditionDepthMax) {
      refuse(code::kTooBig, peek(),
             "condition is nested deeper than " + std::to_string(kConditionDepthMax) + " levels");
      return {};
    }
    if (!accept("not")) return parse_atom(depth);
    Condition negation{.kind = ConditionKind::negation, .identifier = "", .children = {}};
    negation.children.push_back(parse_not(depth + 1));
    return negation;
  }

  Condition parse_atom(int depth) {
    if (accept("(")) {
      Condition inner = parse_or(depth + 1);
      if (!problems_.first() && !accept(")")) refuse(code::kCondition, peek(), "')' expected");
      return inner;
    }
    if (peek(1).text == "of") return parse_quantifier();
    return parse_identifier();
  }

  Condition parse_quantifier() {
    const Token quantity = peek();
    advance();
    advance();
    const Token pattern = peek();
    if (quantity.text != "1" && quantity.text != "any" && quantity.text != "all") {
      refuse(code::kCondition, quantity, "'" + std::string(quantity.text) + " of' is not known",
             "write '1 of', 'any of' or 'all of'");
      return {};
    }
    if (pattern.text.empty() || !is_word(pattern.text.front())) {
      refuse(code::kCondition, pattern, "a name, a pattern or 'them' expected after 'of'");
      return {};
    }
    advance();
    Condition group{
        .kind = quantity.text == "all" ? ConditionKind::all : ConditionKind::any, .identifier = "", .children = {}};
    for (const std::string& name : scope_.identifiers) {
      const bool taken = !name.starts_with('_') && (pattern.text == "them" || matches_glob(pattern.text, name));
      if (taken) group.children.push_back({.kind = ConditionKind::identifier, .identifier = name, .children = {}});
    }
    if (group.children.empty()) {
      refuse(code::kPattern, pattern, "no search is called '" + std::string(pattern.text) + "'",
             "names starting with '_' are left out");
    }
    return group;
  }

  Condition parse_identifier() {
    const Token token = peek();
    const bool reserved = token.text == "and" || token.text == "or" || token.text == "of";
    if (token.text.empty() || !is_word(token.text.front()) || reserved) {
      const std::string found = token.text.empty() ? "the end" : "'" + std::string(token.text) + "'";
      refuse(code::kCondition, token, "the name of a search expected, not " + found);
      return {};
    }
    advance();
    const std::string name(token.text);
    if (std::find(scope_.identifiers.begin(), scope_.identifiers.end(), name) == scope_.identifiers.end()) {
      const std::vector<std::string_view> names(scope_.identifiers.begin(), scope_.identifiers.end());
      std::string hint = operator_hint(name);
      if (hint.empty()) hint = suggest(base::nearest_names(name, names, 2), "");
      refuse(code::kIdentifier, token, std::string(scope_.missing) + " '" + name + "'", hint);
    }
    return {.kind = ConditionKind::identifier, .identifier = name, .children = {}};
  }

  std::vector<Token> tokens_;
  size_t at_ = 0;
  const ConditionScope& scope_;
  Problems& problems_;
};

}  // namespace

Condition parse_condition(std::string_view text, const ConditionScope& scope, Problems& problems) {
  return ConditionParser(text, scope, problems).parse();
}

}  // namespace redoubt::rules::sigma
