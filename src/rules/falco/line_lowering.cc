#include "rules/falco/line_lowering.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>

namespace redoubt::rules::falco {

namespace {

constexpr std::string_view kPart = "[^:\\n]*";
constexpr std::string_view kRest = "[^\\n]*";
constexpr size_t kPlacesMax = 64;  // mounts that an event tells

bool is_place(std::string_view text) {
  return !text.empty() && text.size() < 3 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// The regular expression of a list in which `value` stands at the part asked for.
std::string mount_regex(const FieldSource& source, const std::string& value) {
  const auto wanted = static_cast<size_t>(source.number);
  std::array<std::string, kMountParts> parts;
  parts.fill(std::string(kPart));
  std::string regex = "(?:^|\\n)";
  if (is_place(source.text)) {
    const size_t place = std::min<size_t>(std::stoul(std::string(source.text)), kPlacesMax);
    regex = "^(?:[^\\n]*\\n){" + std::to_string(place) + "}";
  } else {
    // A source is found by its destination, all else by the source.
    const bool is_source = wanted == static_cast<size_t>(MountPart::source);
    parts[is_source ? static_cast<size_t>(MountPart::destination) : 0] = glob_regex(source.text, kPart);
  }
  parts[wanted] = value;
  for (size_t i = 0; i < parts.size(); ++i) regex += (i == 0 ? "" : ":") + parts[i];
  return regex + "(?:\\n|$)";
}

std::string label_regex(const FieldSource& source, const std::string& value) {
  return "(?:^|\\n)" + escape_regex(source.text) + "=" + value + "(?:\\n|$)";
}

std::string list_regex(const FieldSource& source, const std::string& value) {
  return source.shape == Shape::label ? label_regex(source, value) : mount_regex(source, value);
}

std::string_view any_of(const FieldSource& source) { return source.shape == Shape::label ? kRest : kPart; }

// What the values come to at that place; nothing where the operator has no such test.
std::optional<std::string> value_regex(const FieldSource& source, CheckOperator op, const std::string& value) {
  const std::string any(any_of(source));
  if (op == CheckOperator::equal) return escape_regex(value);
  if (op == CheckOperator::startswith) return escape_regex(value) + any;
  if (op == CheckOperator::endswith) return any + escape_regex(value);
  if (op == CheckOperator::contains) return any + escape_regex(value) + any;
  if (op == CheckOperator::glob) return glob_regex(value, any);
  return std::nullopt;
}

}  // namespace

query::Expression has_line_part(const FieldSource& source) {
  return one(source.field, query::Operator::regex, list_regex(source, std::string(any_of(source))));
}

Judgement lower_line_part(const FieldSource& source, CheckOperator op, const Values& values) {
  std::vector<query::Expression> tests;
  for (const std::string& value : values) {
    const bool is_none = source.shape == Shape::mount_part && (value == "N/A" || value == "<NA>");
    if (is_none && op == CheckOperator::equal) {
      tests.push_back(query::Expression::negate(has_line_part(source)));
      continue;
    }
    const auto regex = value_regex(source, op, value);
    if (!regex) return Judgement::not_known(cannot(op, "one of a list"));
    tests.push_back(one(source.field, query::Operator::regex, list_regex(source, *regex)));
  }
  return Judgement::of(query::Expression::any_of(std::move(tests)));
}

std::optional<std::string> line_part_text(const FieldSource& source, std::string_view lines) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  const re2::RE2 regex(list_regex(source, "(" + std::string(any_of(source)) + ")"), options);
  std::string value;
  if (!regex.ok() || !re2::RE2::PartialMatch(re2::StringPiece(lines.data(), lines.size()), regex, &value))
    return std::nullopt;
  return value;
}

}  // namespace redoubt::rules::falco
