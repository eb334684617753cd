#include "query/outline.h"

#include <algorithm>
#include <array>

#include "query/pattern.h"
#include "query/text/lexer.h"
#include "query/text/parser.h"
#include "query/text/value.h"

namespace redoubt::query {

namespace {

using text::NodeKind;
using text::NodeSyntax;
using text::TestSyntax;
using text::TokenKind;
using text::Verb;

constexpr std::array<std::string_view, 4> kValueKinds{"text", "pattern", "regex", "word"};
constexpr std::array<std::string_view, 4> kNodeKinds{"all", "any", "test", "text"};

template <class Kind, size_t N>
std::optional<Kind> kind_named(const std::array<std::string_view, N>& names, std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Kind>(found - names.begin());
}

std::optional<OutlineValue> value_of(const TestSyntax& test, const text::Token& token) {
  if (token.kind == TokenKind::word) return OutlineValue{OutlineValueKind::word, token.text};
  if (test.verb == Verb::matches) return OutlineValue{OutlineValueKind::regex, token.regex};
  // What stands behind an unknown escape is in none of its forms.
  if (token.bad_escape.size > 0) return std::nullopt;
  if (text::takes_pattern(test.verb) && has_wildcard(token.pattern)) {
    return OutlineValue{OutlineValueKind::pattern, written_pattern(token.pattern)};
  }
  return OutlineValue{OutlineValueKind::text, token.text};
}

class OutlineReader {
 public:
  explicit OutlineReader(std::string_view source) : source_(source) {}

  OutlineNode read(const NodeSyntax& syntax, int level) {
    if (syntax.kind == NodeKind::negation) {
      OutlineNode node = read(syntax.children.front(), level);
      node.negated = !node.negated;
      place(node, syntax);
      return node;
    }
    const bool group = syntax.kind != NodeKind::test;
    const bool deep = group && level >= kOutlineLevelsMax && !syntax.children.empty();
    if (++nodes_ > kOutlineNodesMax || deep) return written(syntax);
    return group ? read_group(syntax, level) : read_test(syntax);
  }

  bool too_much() const { return nodes_ > kOutlineNodesMax; }

  OutlineNode written(const NodeSyntax& syntax) const {
    OutlineNode node{.kind = OutlineKind::text,
                     .text = std::string(source_.substr(syntax.span.offset, syntax.span.size))};
    if (syntax.parenthesised) node.text = node.text.substr(1, node.text.size() - 2);
    place(node, syntax);
    return node;
  }

 private:
  OutlineNode read_group(const NodeSyntax& syntax, int level) {
    OutlineNode node{.kind = syntax.kind == NodeKind::any_of ? OutlineKind::any : OutlineKind::all};
    place(node, syntax);
    for (const NodeSyntax& child : syntax.children) {
      node.children.push_back(read(child, level + 1));
      if (too_much()) break;
    }
    return node;
  }

  OutlineNode read_test(const NodeSyntax& syntax) {
    const TestSyntax& test = syntax.test;
    OutlineNode node{.kind = OutlineKind::test,
                     .field = test.name.text,
                     .op = std::string(text::name_of(test.verb)),
                     .opposite = test.sense == text::Sense::negative};
    place(node, syntax);
    if (test.quantifier != text::Quantifier::none) {
      node.quantifier = test.quantifier == text::Quantifier::any ? "ANY" : "ALL";
    }
    values_ += test.values.size();
    if (values_ > kOutlineValuesMax) return written(syntax);
    for (const text::ValueSyntax& value : test.values) {
      auto read = value_of(test, value.token);
      if (!read) return written(syntax);
      node.values.push_back(*std::move(read));
    }
    return node;
  }

  static void place(OutlineNode& node, const NodeSyntax& syntax) {
    node.offset = syntax.span.offset;
    node.size = syntax.span.size;
  }

  std::string_view source_;
  size_t nodes_ = 0;
  size_t values_ = 0;
};

std::string pipe_text(std::string_view source, const text::PipeSyntax& pipe) {
  const size_t from = pipe.tokens.front().span.offset;
  const text::Span& last = pipe.tokens.back().span;
  return std::string(source.substr(from, last.offset + last.size - from));
}

// A line and a column, which counts code points, as a place in the text.
size_t offset_of(std::string_view source, const Diagnostic& diagnostic) {
  size_t at = 0;
  for (size_t line = 1; line < diagnostic.line && at < source.size(); ++line) {
    at = std::min(source.find('\n', at), source.size() - 1) + 1;
  }
  for (size_t column = 1; column < diagnostic.column && at < source.size(); ++column) {
    ++at;
    while (at < source.size() && (static_cast<unsigned char>(source[at]) & 0xC0) == 0x80) ++at;
  }
  return at;
}

}  // namespace

std::string_view name_of(OutlineValueKind kind) { return kValueKinds[static_cast<size_t>(kind)]; }
std::string_view name_of(OutlineKind kind) { return kNodeKinds[static_cast<size_t>(kind)]; }

std::optional<OutlineValueKind> outline_value_kind_named(std::string_view name) {
  return kind_named<OutlineValueKind>(kValueKinds, name);
}

std::optional<OutlineKind> outline_kind_named(std::string_view name) {
  return kind_named<OutlineKind>(kNodeKinds, name);
}

tl::expected<Outline, Diagnostic> outline_of(std::string_view source) {
  REDOUBT_OUTCOME(std::vector<text::Token> tokens, text::lex(source));
  REDOUBT_OUTCOME(const text::QuerySyntax syntax, text::parse(source, std::move(tokens)));
  OutlineReader reader(source);
  Outline outline{.where = reader.read(syntax.where, 1)};
  if (reader.too_much()) outline.where = reader.written(syntax.where);
  for (const text::PipeSyntax& pipe : syntax.pipes) {
    if (!pipe.tokens.empty()) outline.pipes.push_back(pipe_text(source, pipe));
  }
  return outline;
}

std::optional<std::vector<size_t>> path_to(const Outline& outline, std::string_view source,
                                           const Diagnostic& diagnostic) {
  const size_t at = offset_of(source, diagnostic);
  const auto holds = [at](const OutlineNode& node) { return at >= node.offset && at < node.offset + node.size; };
  if (!holds(outline.where)) return std::nullopt;
  std::vector<size_t> path;
  for (const OutlineNode* node = &outline.where;;) {
    const auto child = std::find_if(node->children.begin(), node->children.end(), holds);
    if (child == node->children.end()) return path;
    path.push_back(static_cast<size_t>(child - node->children.begin()));
    node = &*child;
  }
}

std::vector<std::string_view> operators_of(event::Field field) {
  std::vector<std::string_view> found;
  std::string_view rest = text::verbs_of(field);
  while (!rest.empty()) {
    const size_t blank = std::min(rest.find(' '), rest.size());
    found.push_back(rest.substr(0, blank));
    rest.remove_prefix(std::min(blank + 1, rest.size()));
  }
  return found;
}

}  // namespace redoubt::query
