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

// Code points of a line that are shown around its place: a file of one endless line is not repeated in its refusal.
constexpr size_t kShownBefore = 200;
constexpr size_t kShownMax = 1000;

// The line without its first `count` code points.
std::string_view without_first(std::string_view line, size_t count) {
  size_t at = 0;
  while (at < line.size() && (count > 0 || !starts_code_point(line[at]))) {
    if (starts_code_point(line[at])) --count;
    ++at;
  }
  return line.substr(at);
}

}  // namespace

std::string Diagnostic::render(std::string_view source) const {
  std::string out = "error " + code + " at " + std::to_string(line) + ":" + std::to_string(column) + ": " + message;
  std::string_view shown = source_line(source, line);
  size_t before = column - 1;
  size_t width = code_points(shown);
  if (width > kShownMax) {
    const size_t left_out = before > kShownBefore ? before - kShownBefore : 0;
    shown = without_first(shown, left_out);
    shown.remove_suffix(without_first(shown, kShownMax).size());
    before -= left_out;
    width = code_points(shown);
  }
  if (before > width) return hint.empty() ? out : out + "\n  " + hint;
  out += "\n  ";
  out += shown;
  out += "\n  " + indentation(shown, before) + std::string(std::max<size_t>(1, std::min(length, width - before)), '^');
  if (!hint.empty()) out += " " + hint;
  return out;
}

}  // namespace redoubt::query
