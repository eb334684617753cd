#include "query/text/parser.h"

#include <array>

#include "base/text.h"
#include "query/expression.h"

namespace redoubt::query::text {

namespace {

struct VerbName {
  std::string_view name;
  Verb verb;
  Sense sense = Sense::positive;
};

constexpr std::array<VerbName, 9> kVerbSymbols{{
    {"=", Verb::equal},
    {"==", Verb::equal},
    {"!=", Verb::equal, Sense::negative},
    {"<>", Verb::equal, Sense::negative},
    {">", Verb::greater},
    {">=", Verb::greater_equal},
    {"<", Verb::less},
    {"<=", Verb::less_equal},
}};

constexpr std::array<VerbName, 8> kVerbWords{{
    {"CONTAINS", Verb::contains},
    {"STARTS", Verb::starts},
    {"ENDS", Verb::ends},
    {"MATCHES", Verb::matches},
    {"LIKE", Verb::like},
    {"CIDR", Verb::cidr},
    {"IN", Verb::in},
    {"EXISTS", Verb::exists},
}};

constexpr std::string_view kVerbHint = "= != < <= > >= CONTAINS STARTS ENDS MATCHES LIKE CIDR IN EXISTS";

class Parser {
 public:
  Parser(std::string_view source, std::vector<Token> tokens) : source_(source), tokens_(std::move(tokens)) {}

  Outcome<QuerySyntax> run() {
    QuerySyntax query;
    if (!at_query_end()) {
      REDOUBT_OUTCOME(query.where, any_of(0));
    }
    if (peek().is_symbol(")")) return expected_instead("Q203", "this parenthesis was never opened", "");
    if (!at_query_end())
      return expected_instead("Q202", "AND, OR, | or the end of the text is expected here", hint_here());
    while (peek().is_symbol("|")) query.pipes.push_back(pipe());
    return query;
  }

 private:
  const Token& peek() const { return tokens_[at_]; }
  const Token& take() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
  // From there to the end of what was taken last.
  Span span_from(size_t offset) const {
    const Span& last = tokens_[at_ > 0 ? at_ - 1 : 0].span;
    return {offset, last.offset + last.size - offset};
  }
  bool at_query_end() const { return peek().kind == TokenKind::end || peek().is_symbol("|"); }

  tl::unexpected<Diagnostic> expected_instead(std::string code, std::string message, std::string hint) const {
    return complain(source_, peek().span, {std::move(code), std::move(message), std::move(hint)});
  }

  std::string hint_here() const {
    const Token& token = peek();
    if (token.kind != TokenKind::word) return "";
    constexpr std::array<std::string_view, 2> kJoins{"AND", "OR"};
    const auto nearest = base::nearest_names(token.text, kJoins, 1);
    return nearest.empty() ? "tests are joined by AND or OR; text stands in quotes"
                           : "did you mean '" + nearest.front() + "'?";
  }

  Outcome<NodeSyntax> any_of(int depth) {
    return joined(NodeKind::any_of, "OR", depth, [this](int inner) { return all_of(inner); });
  }
  Outcome<NodeSyntax> all_of(int depth) {
    return joined(NodeKind::all_of, "AND", depth, [this](int inner) { return negation(inner); });
  }

  template <class Operand>
  Outcome<NodeSyntax> joined(NodeKind kind, std::string_view keyword, int depth, Operand operand) {
    const size_t begin = peek().span.offset;
    REDOUBT_OUTCOME(NodeSyntax first, operand(depth));
    if (!peek().is_keyword(keyword)) return first;
    NodeSyntax node{.kind = kind};
    node.children.push_back(std::move(first));
    while (peek().is_keyword(keyword)) {
      take();
      REDOUBT_OUTCOME(NodeSyntax next, operand(depth));
      node.children.push_back(std::move(next));
    }
    node.span = span_from(begin);
    return node;
  }

  Outcome<NodeSyntax> negation(int depth) {
    if (depth > kDepthMax) {
      return expected_instead("Q204", "this is nested more than " + std::to_string(kDepthMax) + " levels deep", "");
    }
    const size_t begin = peek().span.offset;
    if (peek().is_keyword("NOT") || peek().is_symbol("!")) {
      take();
      REDOUBT_OUTCOME(NodeSyntax child, negation(depth + 1));
      NodeSyntax node{.kind = NodeKind::negation};
      node.children.push_back(std::move(child));
      node.span = span_from(begin);
      return node;
    }
    if (!peek().is_symbol("(")) return test();
    const Token open = take();
    REDOUBT_OUTCOME(NodeSyntax inner, any_of(depth + 1));
    if (!peek().is_symbol(")")) {
      if (!at_query_end()) return expected_instead("Q202", "AND, OR or ) is expected here", hint_here());
      return complain(source_, open.span, {"Q203", "this parenthesis is not closed", "close it with )"});
    }
    take();
    inner.span = span_from(begin);
    inner.parenthesised = true;
    return inner;
  }

  Outcome<NodeSyntax> test() {
    if (peek().kind != TokenKind::word || is_reserved(peek())) {
      const bool text = peek().kind == TokenKind::string;
      return expected_instead("Q201", "a field name is expected here",
                              text ? "a field stands on the left, without quotes" : "");
    }
    NodeSyntax node{.kind = NodeKind::test};
    const size_t begin = peek().span.offset;
    node.test.name = take();
    if (auto problem = verb(node.test)) return tl::unexpected<Diagnostic>(*std::move(problem));
    if (node.test.verb != Verb::exists) {
      REDOUBT_OUTCOME(node.test.values, values());
    }
    node.span = span_from(begin);
    return node;
  }

  static bool is_reserved(const Token& token) {
    for (const std::string_view word : {"AND", "OR", "NOT", "ANY", "ALL", "WITH"}) {
      if (token.is_keyword(word)) return true;
    }
    for (const VerbName& row : kVerbWords) {
      if (token.is_keyword(row.name)) return true;
    }
    return false;
  }

  bool take_quantifier(TestSyntax& test) {
    const bool any = peek().is_keyword("ANY");
    if (test.quantifier != Quantifier::none || (!any && !peek().is_keyword("ALL"))) return false;
    test.quantifier = any ? Quantifier::any : Quantifier::all;
    take();
    return true;
  }

  // [ANY|ALL] [!|NOT] operator [WITH] [ANY|ALL]
  std::optional<Diagnostic> verb(TestSyntax& test) {
    take_quantifier(test);
    const Span first = peek().span;
    const bool negated = peek().is_symbol("!") || peek().is_keyword("NOT");
    if (negated) take();
    const VerbName* row = find_verb(peek());
    if (row == nullptr || (negated && peek().kind == TokenKind::symbol)) return no_verb();
    test.verb = row->verb;
    test.sense = negated ? Sense::negative : row->sense;
    const Span last = take().span;
    test.operator_span = {first.offset, last.offset + last.size - first.offset};
    if ((test.verb == Verb::starts || test.verb == Verb::ends) && peek().is_keyword("WITH")) take();
    if (test.verb != Verb::exists) take_quantifier(test);
    return std::nullopt;
  }

  static const VerbName* find_verb(const Token& token) {
    for (const VerbName& row : kVerbSymbols) {
      if (!row.name.empty() && token.is_symbol(row.name)) return &row;
    }
    for (const VerbName& row : kVerbWords) {
      if (token.is_keyword(row.name)) return &row;
    }
    return nullptr;
  }

  Diagnostic no_verb() const {
    std::string hint = "the operators are " + std::string(kVerbHint);
    if (peek().kind == TokenKind::word) {
      std::vector<std::string_view> names;
      for (const VerbName& row : kVerbWords) names.push_back(row.name);
      const auto nearest = base::nearest_names(peek().text, names, 1);
      if (!nearest.empty()) hint = "did you mean " + nearest.front() + "?";
    }
    return expected_instead("Q205", "an operator is expected here", std::move(hint)).value();
  }

  // value, value … or the same in parentheses
  Outcome<std::vector<ValueSyntax>> values() {
    const bool parenthesised = peek().is_symbol("(");
    const Token open = peek();
    if (parenthesised) take();
    std::vector<ValueSyntax> found;
    while (true) {
      if (peek().kind != TokenKind::string && (peek().kind != TokenKind::word || is_reserved(peek()))) {
        return expected_instead("Q206", "a value is expected here", "");
      }
      found.push_back({.token = value_token()});
      if (!peek().is_symbol(",")) break;
      take();
    }
    if (!parenthesised) return found;
    if (!peek().is_symbol(")")) {
      if (!at_query_end()) return expected_instead("Q202", ", or ) is expected here", "");
      return complain(source_, open.span, {"Q203", "this parenthesis is not closed", "close it with )"});
    }
    take();
    return found;
  }

  // One value; `now - 30d` is one, with or without blanks.
  Token value_token() {
    Token token = take();
    for (const std::string_view open : {"NOW-", "NOW+", "TODAY-", "TODAY+"}) {
      if (token.is_keyword(open) && peek().kind == TokenKind::word) append_to(token, take());
    }
    const bool relative = token.is_keyword("NOW") || token.is_keyword("TODAY");
    if (!relative || !starts_with_sign(peek())) return token;
    if (peek().text.size() == 1) append_to(token, take());
    if (peek().kind == TokenKind::word) append_to(token, take());
    return token;
  }

  static bool starts_with_sign(const Token& token) {
    return token.kind == TokenKind::word && (token.text.starts_with('-') || token.text.starts_with('+'));
  }

  static void append_to(Token& token, const Token& more) {
    token.text += more.text;
    token.span.size = more.span.offset + more.span.size - token.span.offset;
  }

  PipeSyntax pipe() {
    PipeSyntax found;
    take();
    while (!at_query_end()) found.tokens.push_back(value_token());
    found.end = peek().span;
    return found;
  }

  std::string_view source_;
  std::vector<Token> tokens_;
  size_t at_ = 0;
};

}  // namespace

Outcome<QuerySyntax> parse(std::string_view source, std::vector<Token> tokens) {
  return Parser(source, std::move(tokens)).run();
}

}  // namespace redoubt::query::text
