#include "query/diagnostic.h"

namespace redoubt::query {

namespace {

std::string_view source_line(std::string_view source, size_t line) {
  for (size_t i = 1; i < line; ++i) {
    const size_t end = source.find('\n');
    if (end == std::string_view::npos) return {};
    source.remove_prefix(end + 1);
  }
  std::string_view found = source.substr(0, source.find('\n'));
  if (found.ends_with('\r')) found.remove_suffix(1);
  return found;
}

bool starts_code_point(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

// Blanks as wide as the first `count` code points of the line; tabs stay tabs, so that the caret stands under its
// place.
std::string indentation(std::string_view line, size_t count) {
  std::string out;
  for (const char c : line) {
    if (!starts_code_point(c)) continue;
    if (count-- == 0) break;
    out += c == '\t' ? '\t' : ' ';
  }
  return out;
}

size_t code_points(std::string_view text) {
  size_t count = 0;
  for (const char c : text) count += starts_code_point(c) ? 1 : 0;
  return count;
}

}  // namespace

std::string Diagnostic::render(std::string_view source) const {
  std::string out = "error " + code + " at " + std::to_string(line) + ":" + std::to_string(column) + ": " + message;
  const std::string_view shown = source_line(source, line);
  const size_t before = column - 1;
  const size_t width = code_points(shown);
  if (before > width) return hint.empty() ? out : out + "\n  " + hint;
  out += "\n  ";
  out += shown;
  out += "\n  " + indentation(shown, before) + std::string(std::max<size_t>(1, std::min(length, width - before)), '^');
  if (!hint.empty()) out += " " + hint;
  return out;
}

}  // namespace redoubt::query
