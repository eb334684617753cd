#include "query/pattern.h"

namespace redoubt::query {

namespace {

size_t code_point_size(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  return std::min(size, text.size());
}

}  // namespace

bool has_wildcard(std::string_view pattern) {
  return pattern.find(kAnyRunUtf8) != std::string_view::npos || pattern.find(kAnyOneUtf8) != std::string_view::npos;
}

std::string written_pattern(std::string_view pattern) {
  std::string out;
  while (!pattern.empty()) {
    if (pattern.starts_with(kAnyRunUtf8) || pattern.starts_with(kAnyOneUtf8)) {
      out += pattern.starts_with(kAnyRunUtf8) ? '*' : '?';
      pattern.remove_prefix(kAnyRunUtf8.size());
      continue;
    }
    const char c = pattern.front();
    if (c == '*' || c == '?' || c == '\\') out += '\\';
    out += c;
    pattern.remove_prefix(1);
  }
  return out;
}

bool like(std::string_view text, std::string_view pattern) {
  // Where to go on after a mismatch: behind the last run, which then takes one code point more.
  std::string_view run_text;
  std::string_view run_pattern;
  bool in_run = false;
  while (!text.empty() || !pattern.empty()) {
    if (pattern.starts_with(kAnyRunUtf8)) {
      pattern.remove_prefix(kAnyRunUtf8.size());
      if (pattern.empty()) return true;
      run_text = text;
      run_pattern = pattern;
      in_run = true;
    } else if (!text.empty() && pattern.starts_with(kAnyOneUtf8)) {
      pattern.remove_prefix(kAnyOneUtf8.size());
      text.remove_prefix(code_point_size(text));
    } else if (!text.empty() && !pattern.empty() && text.front() == pattern.front()) {
      pattern.remove_prefix(1);
      text.remove_prefix(1);
    } else if (in_run && !run_text.empty()) {
      run_text.remove_prefix(code_point_size(run_text));
      text = run_text;
      pattern = run_pattern;
    } else {
      return false;
    }
  }
  return true;
}

PlainPattern simplify_pattern(std::string_view pattern) {
  std::string_view inner = pattern;
  const bool open_start = inner.starts_with(kAnyRunUtf8);
  while (inner.starts_with(kAnyRunUtf8)) inner.remove_prefix(kAnyRunUtf8.size());
  const bool open_end = inner.empty() ? open_start : inner.ends_with(kAnyRunUtf8);
  while (inner.ends_with(kAnyRunUtf8)) inner.remove_suffix(kAnyRunUtf8.size());
  if (has_wildcard(inner)) return {Operator::like, std::string(pattern)};
  const Operator op = open_start ? (open_end ? Operator::contains : Operator::ends_with)
                                 : (open_end ? Operator::starts_with : Operator::equal);
  return {op, std::string(inner)};
}

}  // namespace redoubt::query
