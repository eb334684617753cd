#include "central/api/target.h"

#include <optional>

namespace redoubt::central {

namespace {

constexpr size_t kSegmentsMax = 32;
constexpr size_t kQueryPartsMax = 32;

enum class Plus { stays, is_blank };

std::optional<int> hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

Result<std::string> decode(std::string_view text, Plus plus) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      const auto high = i + 2 < text.size() ? hex_digit(text[i + 1]) : std::nullopt;
      const auto low = i + 2 < text.size() ? hex_digit(text[i + 2]) : std::nullopt;
      if (!high || !low) return fail(Errc::invalid_argument, "target: broken percent escape");
      c = static_cast<char>(*high * 16 + *low);
      i += 2;
    } else if (c == '+' && plus == Plus::is_blank) {
      c = ' ';
    }
    if (c == '\0') return fail(Errc::invalid_argument, "target: a NUL byte");
    out += c;
  }
  return out;
}

std::string_view take_until(std::string_view& text, char end) {
  const size_t at = std::min(text.find(end), text.size());
  const std::string_view part = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return part;
}

Status parse_query(std::string_view text, Target& target) {
  for (size_t parts = 0; !text.empty(); ++parts) {
    if (parts >= kQueryPartsMax) return fail(Errc::invalid_argument, "target: too many parameters");
    std::string_view pair = take_until(text, '&');
    const std::string_view raw_key = take_until(pair, '=');
    if (raw_key.empty()) continue;
    TRY(std::string key, decode(raw_key, Plus::is_blank));
    TRY(std::string value, decode(pair, Plus::is_blank));
    target.query[std::move(key)] = std::move(value);
  }
  return {};
}

}  // namespace

Result<Target> parse_target(std::string_view text) {
  if (!text.starts_with('/')) return fail(Errc::invalid_argument, "target: not a path");
  Target target;
  std::string_view path = take_until(text, '?');
  path.remove_prefix(1);
  while (!path.empty()) {
    if (target.segments.size() >= kSegmentsMax) return fail(Errc::invalid_argument, "target: too many segments");
    TRY(std::string segment, decode(take_until(path, '/'), Plus::stays));
    target.segments.push_back(std::move(segment));
  }
  TRY_STATUS(parse_query(text, target));
  return target;
}

}  // namespace redoubt::central
