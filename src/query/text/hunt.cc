#include "query/hunt.h"

#include "query/text/lexer.h"
#include "query/text/lower.h"
#include "query/text/parser.h"
#include "query/text/pipes.h"
#include "query/text/resolve.h"

namespace redoubt::query {

tl::expected<Hunt, Diagnostic> parse_hunt(std::string_view source, base::Time now) {
  REDOUBT_OUTCOME(std::vector<text::Token> tokens, text::lex(source));
  REDOUBT_OUTCOME(text::QuerySyntax syntax, text::parse(source, std::move(tokens)));
  REDOUBT_OUTCOME(const text::NodeSyntax resolved, text::resolve(source, std::move(syntax.where)));
  REDOUBT_OUTCOME(Expression lowered, text::lower(source, resolved, now));
  auto normal = normalize(std::move(lowered));
  if (!normal) return text::complain(source, {0, source.size()}, {"Q204", normal.error().message, ""});

  Hunt hunt;
  hunt.where = *std::move(normal);
  return text::apply_pipes(source, syntax.pipes, now, std::move(hunt));
}

}  // namespace redoubt::query
