#include "query/hunt.h"

#include "query/text/lexer.h"
#include "query/text/lower.h"
#include "query/text/parser.h"
#include "query/text/pipes.h"
#include "query/text/resolve.h"

namespace redoubt::query {

namespace {

tl::expected<text::QuerySyntax, Diagnostic> parse_syntax(std::string_view source) {
  REDOUBT_OUTCOME(std::vector<text::Token> tokens, text::lex(source));
  return text::parse(source, std::move(tokens));
}

tl::expected<Expression, Diagnostic> where_of(std::string_view source, text::NodeSyntax where, base::Time now) {
  REDOUBT_OUTCOME(const text::NodeSyntax resolved, text::resolve(source, std::move(where)));
  REDOUBT_OUTCOME(Expression lowered, text::lower(source, resolved, now));
  auto normal = normalize(std::move(lowered));
  if (!normal) return text::complain(source, {0, source.size()}, {"Q204", normal.error().message, ""});
  return *std::move(normal);
}

}  // namespace

tl::expected<Hunt, Diagnostic> parse_hunt(std::string_view source, base::Time now) {
  REDOUBT_OUTCOME(text::QuerySyntax syntax, parse_syntax(source));
  Hunt hunt;
  REDOUBT_OUTCOME(hunt.where, where_of(source, std::move(syntax.where), now));
  return text::apply_pipes(source, syntax.pipes, now, std::move(hunt));
}

tl::expected<Expression, Diagnostic> parse_condition(std::string_view source, base::Time now) {
  REDOUBT_OUTCOME(text::QuerySyntax syntax, parse_syntax(source));
  if (!syntax.pipes.empty()) {
    const text::PipeSyntax& pipe = syntax.pipes.front();
    const text::Span at = pipe.tokens.empty() ? pipe.end : pipe.tokens.front().span;
    return text::complain(source, at, {"Q405", "a condition has no pipes", "remove what stands behind '|'"});
  }
  const text::NodeSyntax& where = syntax.where;
  if (where.kind == text::NodeKind::all_of && where.children.empty()) {
    return text::complain(source, {0, 0}, {"Q406", "the condition is empty: it would hold for every event", ""});
  }
  return where_of(source, std::move(syntax.where), now);
}

}  // namespace redoubt::query
