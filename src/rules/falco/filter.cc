#include "rules/falco/filter.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace redoubt::rules::falco {

namespace {

struct OperatorName {
  std::string_view name;
  CheckOperator op;
};
// Longer ones before their beginnings.
constexpr auto kOperatorNames = std::to_array<OperatorName>({
    {"exists", CheckOperator::exists},
    {"<=", CheckOperator::less_equal},
    {"<", CheckOperator::less},
    {">=", CheckOperator::greater_equal},
    {">", CheckOperator::greater},
    {"==", CheckOperator::equal},
    {"=", CheckOperator::equal},
    {"!=", CheckOperator::not_equal},
    {"contains", CheckOperator::contains},
    {"icontains", CheckOperator::icontains},
    {"startswith", CheckOperator::startswith},
    {"endswith", CheckOperator::endswith},
    {"glob", CheckOperator::glob},
    {"iglob", CheckOperator::iglob},
    {"regex", CheckOperator::regex},
    {"bcontains", CheckOperator::bcontains},
    {"bstartswith", CheckOperator::bstartswith},
    {"intersects", CheckOperator::intersects},
    {"in", CheckOperator::in},
    {"pmatch", CheckOperator::pmatch},
});

constexpr std::array<std::string_view, 8> kTransformers = {"tolower", "toupper", "b64",    "basename",
                                                           "len",     "join",    "concat", "getopt"};

constexpr auto kQuantityNames = std::to_array<std::pair<std::string_view, Quantity>>(
    {{"oneof", Quantity::oneof}, {"anyof", Quantity::anyof}, {"allof", Quantity::allof}});

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_name_char(char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f'; }
bool is_bare(char c) {
  return !is_space(c) && c != '(' && c != ')' && c != '"' && c != '\'' && c != '=' && c != ',' && c != '\0';
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool takes_list(CheckOperator op) {
  return op == CheckOperator::in || op == CheckOperator::intersects || op == CheckOperator::pmatch;
}

bool takes_quantity(CheckOperator op) {
  switch (op) {
    case CheckOperator::equal:
    case CheckOperator::not_equal:
    case CheckOperator::contains:
    case CheckOperator::icontains:
    case CheckOperator::startswith:
    case CheckOperator::endswith:
    case CheckOperator::glob:
    case CheckOperator::iglob:
    case CheckOperator::regex:
    case CheckOperator::bcontains:
    case CheckOperator::bstartswith: return true;
    case CheckOperator::exists:
    case CheckOperator::less:
    case CheckOperator::less_equal:
    case CheckOperator::greater:
    case CheckOperator::greater_equal:
    case CheckOperator::in:
    case CheckOperator::intersects:
    case CheckOperator::pmatch: return false;
  }
  return false;
}

// Recursive descent over the text; after the first mistake every step returns at once.
class FilterParser {
 public:
  explicit FilterParser(std::string_view text) : text_(text) {}

  ParsedFilter parse() {
    ParsedFilter parsed;
    if (text_.size() > kFilterTextMax) {
      fail_at(0, "condition has more than " + std::to_string(kFilterTextMax) + " bytes with its lists written out");
    } else {
      parsed.filter = parse_or(1);
      skip_space();
      if (!mistake_ && at_ < text_.size()) fail_at(at_, "unexpected " + here());
    }
    parsed.mistake = std::move(mistake_);
    return parsed;
  }

  ParsedTerm parse_one_term() {
    ParsedTerm parsed;
    parsed.term = parse_left(1);
    parsed.end = at_;
    parsed.mistake = std::move(mistake_);
    return parsed;
  }

 private:
  void fail_at(size_t offset, std::string message, std::string hint = "") {
    if (mistake_) return;
    mistake_ = FilterMistake{offset, std::move(message), std::move(hint)};
  }

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void skip_space() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }

  std::string here() const {
    if (at_ >= text_.size()) return "end of the condition";
    size_t end = at_ + 1;
    while (end < text_.size() && is_bare(text_[end]) && is_bare(text_[at_])) ++end;
    while (end < text_.size() && (text_[end] & 0xC0) == 0x80) ++end;
    return "'" + std::string(text_.substr(at_, end - at_)) + "'";
  }

  // A word of the grammar: behind it stands a blank, a parenthesis or the end.
  bool take_word(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    const size_t end = at_ + word.size();
    if (end < text_.size() && !is_space(text_[end]) && text_[end] != '(' && text_[end] != ')') return false;
    at_ = end;
    return true;
  }

  bool enter(int depth) {
    if (depth > kFilterDepthMax) {
      fail_at(at_, "condition is nested deeper than " + std::to_string(kFilterDepthMax) + " levels");
    }
    return !mistake_;
  }

  Filter parse_or(int depth) { return parse_chain(depth, FilterKind::any, "or"); }

  Filter parse_chain(int depth, FilterKind kind, std::string_view word) {
    if (!enter(depth)) return {};
    Filter chain;
    chain.kind = kind;
    do {
      chain.children.push_back(kind == FilterKind::any ? parse_chain(depth, FilterKind::all, "and") : parse_not(depth));
      skip_space();
    } while (!mistake_ && take_word(word));
    if (mistake_) return {};
    if (chain.children.size() > 1) return chain;
    Filter only = std::move(chain.children.front());
    return only;
  }

  Filter parse_not(int depth) {
    bool negated = false;
    skip_space();
    while (take_word("not")) {
      negated = !negated;
      skip_space();
    }
    Filter inner = peek() == '(' ? parse_parentheses(depth) : parse_check(depth);
    if (!negated || mistake_) return inner;
    Filter outer;
    outer.kind = FilterKind::negation;
    outer.offset = inner.offset;
    outer.children.push_back(std::move(inner));
    return outer;
  }

  Filter parse_parentheses(int depth) {
    const size_t opened = at_++;
    Filter inner = parse_or(depth + 1);
    skip_space();
    if (mistake_) return {};
    if (peek() != ')') {
      fail_at(at_ >= text_.size() ? opened : at_,
              at_ >= text_.size() ? "parenthesis is not closed" : "expected ')' before " + here());
      return {};
    }
    ++at_;
    return inner;
  }

  Filter parse_check(int depth) {
    Filter check;
    check.kind = FilterKind::check;
    check.offset = at_;
    check.left = parse_left(depth);
    if (mistake_) return {};
    if (check.left.kind == TermKind::literal) {
      check.kind = FilterKind::macro;
      check.macro = std::move(check.left.text);
      return check;
    }
    parse_operator(check);
    if (!mistake_ && check.op != CheckOperator::exists) parse_values(check, depth);
    return check;
  }

  // A field, a transformer, or a name alone (literal: a macro).
  Term parse_left(int depth) {
    if (!enter(depth)) return {};
    const size_t start = at_;
    if (!is_letter(peek())) {
      fail_at(at_, "expected a field, a macro or '(' instead of " + here());
      return {};
    }
    while (is_name_char(peek()) || (peek() == '.' && at_ + 1 < text_.size() && is_letter(text_[at_ + 1]))) ++at_;
    Term term;
    term.text = std::string(text_.substr(start, at_ - start));
    if (peek() == '(') {
      if (std::find(kTransformers.begin(), kTransformers.end(), term.text) == kTransformers.end()) {
        const auto near = base::nearest_names(term.text, kTransformers, 1);
        fail_at(start, "transformer '" + term.text + "' is not known",
                near.empty() ? "" : "did you mean '" + near.front() + "'?");
        return {};
      }
      term.kind = TermKind::transformer;
      parse_arguments(term, depth);
    } else if (term.text.find('.') != std::string::npos) {
      term.kind = TermKind::field;
    }
    if (peek() == '[' && term.kind != TermKind::literal) parse_bracket(term);
    return term;
  }

  void parse_bracket(Term& term) {
    const size_t opened = at_++;
    if (peek() == '"' || peek() == '\'') {
      term.argument = parse_quoted();
    } else {
      const size_t start = at_;
      while (at_ < text_.size() && !is_space(peek()) && peek() != '[' && peek() != ']' && peek() != '"' &&
             peek() != '\'')
        ++at_;
      term.argument = std::string(text_.substr(start, at_ - start));
    }
    if (peek() != ']' || term.argument->empty()) {
      fail_at(opened, term.argument->empty() ? "argument is empty" : "bracket is not closed");
      return;
    }
    ++at_;
  }

  // The arguments of a transformer, and the items of a list inside them.
  void parse_arguments(Term& owner, int depth) {
    if (!enter(depth + 1)) return;
    const size_t opened = at_++;
    skip_space();
    if (peek() == ')') {
      ++at_;
      return;
    }
    while (!mistake_) {
      skip_space();
      owner.parts.push_back(parse_argument(depth + 1));
      skip_space();
      if (peek() == ',') {
        ++at_;
        continue;
      }
      if (peek() != ')') fail_at(opened, "list of arguments is not closed");
      ++at_;
      return;
    }
  }

  Term parse_argument(int depth) {
    Term term;
    if (peek() == '(') {
      term.kind = TermKind::list;
      parse_arguments(term, depth);
    } else if (peek() == '"' || peek() == '\'') {
      term.text = parse_quoted();
    } else if (is_letter(peek())) {
      term = parse_left(depth);
    } else {
      term.text = parse_bare();
    }
    return term;
  }

  void parse_operator(Filter& check) {
    skip_space();
    for (const OperatorName& row : kOperatorNames) {
      if (is_letter(row.name.front())) {
        if (!take_word(row.name)) continue;
      } else {
        if (!text_.substr(at_).starts_with(row.name)) continue;
        at_ += row.name.size();
      }
      check.op = row.op;
      return;
    }
    std::vector<std::string_view> names;
    for (const OperatorName& row : kOperatorNames) names.push_back(row.name);
    size_t end = at_;
    while (end < text_.size() && is_name_char(text_[end])) ++end;
    const auto near = base::nearest_names(text_.substr(at_, end - at_), names, 1);
    fail_at(at_, "expected an operator behind '" + to_text(check.left) + "' instead of " + here(),
            near.empty() ? "" : "did you mean '" + near.front() + "'?");
  }

  void parse_values(Filter& check, int depth) {
    skip_space();
    if (takes_quantity(check.op)) parse_quantity(check);
    skip_space();
    const bool is_listed = takes_list(check.op) || check.quantity != Quantity::one_value;
    if (is_listed && peek() == '(') {
      parse_list(check);
    } else if (Term other; parse_reference(other, depth)) {
      check.values.push_back(std::move(other));
    } else if (is_listed) {
      fail_at(at_, "operator " + std::string(name_of(check.op)) + " takes a list in parentheses instead of " + here());
    } else {
      check.values.push_back(parse_literal());
    }
  }

  // `oneof` is also a plain value; it is a quantity where a list follows.
  void parse_quantity(Filter& check) {
    const size_t start = at_;
    for (const auto& [name, quantity] : kQuantityNames) {
      if (!take_word(name)) continue;
      skip_space();
      if (peek() == '(') {
        check.quantity = quantity;
        return;
      }
      at_ = start;
    }
  }

  // val(field) or a transformer on the right.
  bool parse_reference(Term& term, int depth) {
    if (text_.substr(at_).starts_with("val(")) {
      at_ += 4;
      skip_space();
      term = parse_left(depth + 1);
      skip_space();
      if (!mistake_ && (term.kind == TermKind::literal || peek() != ')')) fail_at(at_, "val() takes one field");
      ++at_;
      return true;
    }
    for (const std::string_view name : kTransformers) {
      if (text_.substr(at_).starts_with(std::string(name) + "(")) {
        term = parse_left(depth + 1);
        return true;
      }
    }
    return false;
  }

  void parse_list(Filter& check) {
    const size_t opened = at_++;
    skip_space();
    if (peek() == ')') {
      ++at_;
      return;
    }
    while (!mistake_) {
      skip_space();
      check.values.push_back(parse_literal());
      skip_space();
      if (peek() == ')') {
        ++at_;
        return;
      }
      if (peek() != ',') {
        fail_at(at_ >= text_.size() ? opened : at_,
                at_ >= text_.size() ? "list is not closed" : "expected ',' or ')' instead of " + here());
      }
      ++at_;
    }
  }

  Term parse_literal() {
    Term term;
    term.text = peek() == '"' || peek() == '\'' ? parse_quoted() : parse_bare();
    return term;
  }

  std::string parse_bare() {
    const size_t start = at_;
    while (at_ < text_.size() && is_bare(text_[at_])) ++at_;
    if (at_ == start) fail_at(at_, "expected a value instead of " + here());
    return std::string(text_.substr(start, at_ - start));
  }

  std::string parse_quoted() {
    const size_t opened = at_;
    const char quote = text_[at_++];
    std::string value;
    while (at_ < text_.size() && text_[at_] != quote) {
      if (text_[at_] != '\\') {
        value += text_[at_++];
      } else if (!parse_escape(quote, value)) {
        return {};
      }
    }
    if (at_ >= text_.size()) fail_at(opened, "quoted value is not closed");
    ++at_;
    return value;
  }

  bool parse_escape(char quote, std::string& value) {
    constexpr std::string_view kWritten = "bfnrt \\/";
    constexpr std::string_view kMeant = "\b\f\n\r\t\\\\/";
    const char next = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    if (next == quote) {
      value += quote;
    } else if (const size_t found = kWritten.find(next); found != std::string_view::npos) {
      value += kMeant[found];
    } else if (next == 'x' && at_ + 3 < text_.size() && hex_digit(text_[at_ + 2]) >= 0 &&
               hex_digit(text_[at_ + 3]) >= 0) {
      value += static_cast<char>(hex_digit(text_[at_ + 2]) * 16 + hex_digit(text_[at_ + 3]));
      at_ += 2;
    } else {
      fail_at(at_, "escape is not known", "known: \\b \\f \\n \\r \\t \\\\ \\/ \\xHH and the quote itself");
      return false;
    }
    at_ += 2;
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
  std::optional<FilterMistake> mistake_;
};

std::string quote(std::string_view text) {
  if (!text.empty() && std::all_of(text.begin(), text.end(), is_bare)) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

std::string join_terms(const std::vector<Term>& terms) {
  std::string text = "(";
  for (size_t i = 0; i < terms.size(); ++i) text += (i == 0 ? "" : ", ") + to_text(terms[i]);
  return text + ")";
}

}  // namespace

std::string_view name_of(CheckOperator op) {
  for (const OperatorName& row : kOperatorNames) {
    if (row.op == op && row.name != "==") return row.name;
  }
  return "";
}

std::optional<CheckOperator> check_operator_named(std::string_view name) {
  for (const OperatorName& row : kOperatorNames) {
    if (row.name == name) return row.op;
  }
  return std::nullopt;
}

std::string_view name_of(Quantity quantity) {
  for (const auto& [name, each] : kQuantityNames) {
    if (each == quantity) return name;
  }
  return "";
}

ParsedFilter parse_filter(std::string_view text) { return FilterParser(text).parse(); }
ParsedTerm parse_term(std::string_view text) { return FilterParser(text).parse_one_term(); }

std::string to_text(const Term& term) {
  std::string text = term.kind == TermKind::list ? "" : term.text;
  if (term.kind == TermKind::literal) text = quote(term.text);
  if (term.kind == TermKind::list || term.kind == TermKind::transformer) text += join_terms(term.parts);
  if (term.argument) text += "[" + *term.argument + "]";
  return text;
}

std::string to_text(const Filter& filter) {
  switch (filter.kind) {
    case FilterKind::macro: return filter.macro;
    case FilterKind::negation: return "not " + to_text(filter.children.front());
    case FilterKind::check: {
      std::string text = to_text(filter.left) + " " + std::string(name_of(filter.op));
      if (filter.quantity != Quantity::one_value) text += " " + std::string(name_of(filter.quantity));
      if (filter.op == CheckOperator::exists) return text;
      const bool is_listed = takes_list(filter.op) || filter.quantity != Quantity::one_value;
      return text + " " + (is_listed ? join_terms(filter.values) : to_text(filter.values.front()));
    }
    case FilterKind::all:
    case FilterKind::any: {
      std::string text = "(";
      const std::string_view word = filter.kind == FilterKind::all ? " and " : " or ";
      for (size_t i = 0; i < filter.children.size(); ++i) {
        if (i > 0) text += word;
        text += to_text(filter.children[i]);
      }
      return text + ")";
    }
  }
  return "";
}

}  // namespace redoubt::rules::falco
