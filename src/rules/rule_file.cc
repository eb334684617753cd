#include "rules/rule_file.h"

#include <utility>

namespace redoubt::rules {

namespace {

// A file of one endless line is not repeated in its own refusal.
constexpr size_t kShownLineMax = 1000;

bool has_short_line(std::string_view source, size_t line) {
  for (; line > 1; --line) {
    const size_t end = source.find('\n');
    if (end == std::string_view::npos) return true;
    source.remove_prefix(end + 1);
  }
  return source.substr(0, kShownLineMax + 1).find('\n') != std::string_view::npos || source.size() <= kShownLineMax;
}

}  // namespace

Refusal refusal_of(std::string path, std::string title, query::Diagnostic diagnostic, std::string_view source) {
  Refusal refusal{.path = std::move(path), .title = std::move(title), .diagnostic = {}, .rendered = ""};
  refusal.rendered = diagnostic.render(has_short_line(source, diagnostic.line) ? source : "");
  refusal.diagnostic = std::move(diagnostic);
  return refusal;
}

}  // namespace redoubt::rules
