#include "rules/sigma/pattern.h"

namespace redoubt::rules::sigma {

namespace {

using query::kAnyOneUtf8;
using query::kAnyRunUtf8;
using query::Operator;

}  // namespace

std::string read_wildcards(std::string_view value) {
  std::string text;
  for (size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    const char next = i + 1 < value.size() ? value[i + 1] : '\0';
    if (c == '\\' && (next == '*' || next == '?' || next == '\\')) {
      text += next;
      ++i;
    } else if (c == '*') {
      if (!text.ends_with(kAnyRunUtf8)) text += kAnyRunUtf8;
    } else if (c == '?') {
      text += kAnyOneUtf8;
    } else {
      text += c;
    }
  }
  return text;
}

bool has_wildcard(std::string_view text) {
  return text.find(kAnyRunUtf8) != std::string_view::npos || text.find(kAnyOneUtf8) != std::string_view::npos;
}

Pattern read_pattern(std::string_view value, Position position) {
  return place_pattern(read_wildcards(value), position);
}

Pattern place_pattern(std::string text, Position position) {
  const bool open_start = position == Position::anywhere || position == Position::end;
  const bool open_end = position == Position::anywhere || position == Position::start;
  if (open_start && !text.starts_with(kAnyRunUtf8)) text.insert(0, kAnyRunUtf8);
  if (open_end && !text.ends_with(kAnyRunUtf8)) text += kAnyRunUtf8;
  if (text == kAnyRunUtf8) return {.op = Operator::exists, .text = ""};

  std::string_view core = text;
  const bool any_before = core.starts_with(kAnyRunUtf8);
  if (any_before) core.remove_prefix(kAnyRunUtf8.size());
  const bool any_after = core.ends_with(kAnyRunUtf8);
  if (any_after) core.remove_suffix(kAnyRunUtf8.size());
  if (has_wildcard(core)) return {.op = Operator::like, .text = std::move(text)};
  if (any_before && any_after) return {.op = Operator::contains, .text = std::string(core)};
  if (any_before) return {.op = Operator::ends_with, .text = std::string(core)};
  if (any_after) return {.op = Operator::starts_with, .text = std::string(core)};
  return {.op = Operator::equal, .text = std::move(text)};
}

}  // namespace redoubt::rules::sigma
