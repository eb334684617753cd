#include "query/text/token.h"

#include <algorithm>

namespace redoubt::query::text {

bool Token::is_keyword(std::string_view keyword) const {
  const auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; };
  return kind == TokenKind::word && std::equal(text.begin(), text.end(), keyword.begin(), keyword.end(),
                                               [&](char a, char b) { return upper(a) == b; });
}

namespace {

size_t count_code_points(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

tl::unexpected<Diagnostic> complain(std::string_view source, Span at, Complaint complaint) {
  const std::string_view before = source.substr(0, at.offset);
  const size_t line_start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  const size_t size = std::min(at.size, source.size() - std::min(at.offset, source.size()));
  Diagnostic diagnostic;
  diagnostic.code = std::move(complaint.code);
  diagnostic.line = 1 + static_cast<size_t>(std::count(before.begin(), before.end(), '\n'));
  diagnostic.column = 1 + count_code_points(before.substr(line_start));
  diagnostic.length = std::max<size_t>(1, count_code_points(source.substr(std::min(at.offset, source.size()), size)));
  diagnostic.message = std::move(complaint.message);
  diagnostic.hint = std::move(complaint.hint);
  return tl::unexpected<Diagnostic>(std::move(diagnostic));
}

}  // namespace redoubt::query::text
