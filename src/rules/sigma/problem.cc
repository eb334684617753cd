#include "rules/sigma/problem.h"

#include <utility>

namespace redoubt::rules::sigma {

void Problems::add(std::string_view code, Place place, std::string message, std::string hint) {
  if (first_) return;
  first_ = query::Diagnostic{.code = std::string(code),
                             .line = place.line,
                             .column = place.column,
                             .length = place.length,
                             .message = std::move(message),
                             .hint = std::move(hint)};
}

std::string suggest(const std::vector<std::string>& nearest, std::string otherwise) {
  if (nearest.empty()) return otherwise;
  std::string text = "did you mean ";
  for (size_t i = 0; i < nearest.size(); ++i) text += (i == 0 ? "'" : " or '") + nearest[i] + "'";
  return text + "?";
}

}  // namespace redoubt::rules::sigma
