#include "query/semantics.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "base/text.h"
#include "query/cidr.h"
#include "query/pattern.h"

namespace redoubt::query {

using event::Field;
using event::FieldType;

Form form_of(Field field, CaseMode case_mode) {
  const FieldType type = event::info(field).type;
  const bool compares_case = type == FieldType::text || type == FieldType::keyword;
  if (!compares_case || field == Field::event_type) return Form::raw;
  return case_mode == CaseMode::folded ? Form::folded : Form::raw;
}

std::string operand_text(const Test& test, std::string_view operand) {
  if (test.op == Operator::regex) return regex_source(test, operand);
  if (test.field == Field::event_type) {
    const auto type = test.op == Operator::equal ? event::event_type_named(operand) : std::nullopt;
    return type ? std::string(name_of(*type)) : base::fold_case(operand);
  }
  const FieldType type = event::info(test.field).type;
  if (type == FieldType::ip) return test.op == Operator::equal ? canonical_address(operand) : base::fold_case(operand);
  if (type == FieldType::hash || form_of(test.field, test.case_mode) == Form::folded) return base::fold_case(operand);
  return std::string(operand);
}

std::string in_form(Form form, std::string_view text) {
  return form == Form::folded ? base::fold_case(text) : std::string(text);
}

bool is_ascii(std::string_view text) {
  constexpr uint64_t kHighBits = 0x8080808080808080U;
  constexpr size_t kStep = 4 * sizeof(uint64_t);
  const char* at = text.data();
  const char* const end = at + text.size();
  for (; at + kStep <= end; at += kStep) {
    std::array<uint64_t, 4> words{};
    std::memcpy(words.data(), at, kStep);
    if (((words[0] | words[1] | words[2] | words[3]) & kHighBits) != 0) return false;
  }
  return std::all_of(at, end, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool folds_into_ascii(std::string_view text) {
  constexpr std::string_view kKelvinSign = "\xE2\x84\xAA";
  constexpr std::string_view kLongS = "\xC5\xBF";
  return !is_ascii(text) &&
         (text.find(kKelvinSign) != std::string_view::npos || text.find(kLongS) != std::string_view::npos);
}

std::optional<int64_t> number_of(std::string_view text) {
  const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  const bool plain = !digits.empty() && digits.size() <= kNumberDigitsMax &&
                     std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  int64_t number = 0;
  if (!plain) return std::nullopt;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

bool text_holds(Operator op, std::string_view text, std::string_view operand) {
  switch (op) {
    case Operator::equal: return text == operand;
    case Operator::contains:
      return operand.empty() || memmem(text.data(), text.size(), operand.data(), operand.size()) != nullptr;
    case Operator::starts_with: return text.starts_with(operand);
    case Operator::ends_with: return text.ends_with(operand);
    case Operator::like: return like(text, operand);
    case Operator::cidr: return in_cidr(text, operand);
    case Operator::less:
    case Operator::less_equal:
    case Operator::greater:
    case Operator::greater_equal:
    case Operator::regex:
    case Operator::exists: return false;
  }
  return false;
}

std::string regex_source(const Test& test, std::string_view pattern) {
  const FieldType type = event::info(test.field).type;
  const bool by_mode = type == FieldType::text || type == FieldType::keyword;
  const bool exact = type == FieldType::id || (by_mode && test.case_mode == CaseMode::exact);
  // In a group: DuckDB turns simple patterns into LIKE, and wrongly where ^ or $ stands inside ("$a" finds "a"); it
  // leaves groups alone.
  return (exact ? "(?s)(" : "(?is)(") + std::string(pattern) + ")";
}

}  // namespace redoubt::query
