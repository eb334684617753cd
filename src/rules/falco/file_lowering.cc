#include "rules/falco/file_lowering.h"

#include <algorithm>
#include <array>

namespace redoubt::rules::falco {

namespace {

using event::Field;
using query::Expression;
using query::Operator;

struct ModeBit {
  std::string_view name;
  unsigned digit;  // of four octal ones
  unsigned bit;
};

// In the order in which Falco prints them.
constexpr std::array kModeBits = {
    ModeBit{"S_IXOTH", 3, 1}, ModeBit{"S_IWOTH", 3, 2}, ModeBit{"S_IROTH", 3, 4}, ModeBit{"S_IXGRP", 2, 1},
    ModeBit{"S_IWGRP", 2, 2}, ModeBit{"S_IRGRP", 2, 4}, ModeBit{"S_IXUSR", 1, 1}, ModeBit{"S_IWUSR", 1, 2},
    ModeBit{"S_IRUSR", 1, 4}, ModeBit{"S_ISVTX", 0, 1}, ModeBit{"S_ISGID", 0, 2}, ModeBit{"S_ISUID", 0, 4},
};
constexpr size_t kModeDigits = 4;
constexpr std::string_view kAnyExecutes = "^.[0-7]*[1357]";

// A mode of four digits, of which one has a bit set.
std::string pattern_of(const ModeBit& row) {
  std::string digits;
  for (unsigned digit = 0; digit < 8; ++digit) {
    if ((digit & row.bit) != 0) digits += static_cast<char>('0' + digit);
  }
  return "^" + std::string(row.digit, '.') + "[" + digits + "]";
}

Judgement lower_mode(Field field, CheckOperator op, const Values& values) {
  if (op != CheckOperator::contains) return Judgement::not_known(cannot(op, "the bits of a mode"));
  std::vector<Expression> tests;
  for (const std::string& value : values) {
    const auto row =
        std::find_if(kModeBits.begin(), kModeBits.end(), [&](const ModeBit& each) { return each.name == value; });
    if (row == kModeBits.end()) return Judgement::not_known("'" + value + "' is not a bit of a mode");
    tests.push_back(one(field, Operator::regex, pattern_of(*row)));
  }
  return Judgement::of(Expression::any_of(std::move(tests)));
}

Judgement lower_flag(Expression holds, CheckOperator op, const Values& values) {
  if (op != CheckOperator::equal) return Judgement::not_known(cannot(op, "a flag"));
  const auto has = [&](std::string_view word) { return std::find(values.begin(), values.end(), word) != values.end(); };
  if (has("true") && has("false")) return Judgement::of(Expression::constant(true));
  if (has("true")) return Judgement::of(std::move(holds));
  return Judgement::of(has("false") ? Expression::negate(std::move(holds)) : Expression::constant(false));
}

std::string_view kind_word(const FieldSource& source, bool is_directory) {
  const size_t blank = source.text.find(' ');
  return is_directory ? source.text.substr(blank + 1) : source.text.substr(0, blank);
}

Judgement lower_kind(const FieldSource& source, CheckOperator op, const Values& values) {
  if (op != CheckOperator::equal) return Judgement::not_known(cannot(op, "the kind of a file"));
  const auto has = [&](std::string_view word) { return std::find(values.begin(), values.end(), word) != values.end(); };
  const Expression is_directory = one(source.field, Operator::equal, "dir");
  std::vector<Expression> tests;
  if (has(kind_word(source, false))) tests.push_back(Expression::negate(is_directory.clone()));
  if (has(kind_word(source, true))) tests.push_back(is_directory.clone());
  return Judgement::of(Expression::any_of(std::move(tests)));
}

}  // namespace

Judgement lower_file(const FieldSource& source, CheckOperator op, const Values& values) {
  const std::string prefix(source.text);
  if (source.shape == Shape::mode_bits) return lower_mode(source.field, op, values);
  if (source.shape == Shape::file_kind) return lower_kind(source, op, values);
  if (source.shape == Shape::executable_flag) {
    return lower_flag(one(source.field, Operator::regex, std::string(kAnyExecutes)), op, values);
  }
  Expression begins = one(source.field, Operator::starts_with, prefix);
  const bool is_negative = source.shape == Shape::no_prefix_flag;
  return lower_flag(is_negative ? Expression::negate(std::move(begins)) : std::move(begins), op, values);
}

std::string file_text(const FieldSource& source, std::string_view held) {
  const auto digit_of = [&](unsigned place) { return static_cast<unsigned>(held[place] - '0'); };
  const bool is_mode = held.size() == kModeDigits;
  if (source.shape == Shape::file_kind) return std::string(kind_word(source, held == "dir"));
  if (source.shape == Shape::executable_flag) {
    return is_mode && ((digit_of(1) | digit_of(2) | digit_of(3)) & 1) != 0 ? "true" : "false";
  }
  if (source.shape != Shape::mode_bits) {
    return held.starts_with(source.text) == (source.shape == Shape::prefix_flag) ? "true" : "false";
  }
  std::string text;
  for (const ModeBit& row : kModeBits) {
    if (!is_mode || (digit_of(row.digit) & row.bit) == 0) continue;
    text.append(text.empty() ? "" : "|").append(row.name);
  }
  return text.empty() ? "0" : text;
}

}  // namespace redoubt::rules::falco
