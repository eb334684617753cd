#include "query/semantics.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstring>

#include "base/address.h"
#include "base/text.h"
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
  if (type == FieldType::ip)
    return test.op == Operator::equal ? base::canonical_address(operand) : base::fold_case(operand);
  if (type == FieldType::hash || form_of(test.field, test.case_mode) == Form::folded) return base::fold_case(operand);
  return std::string(operand);
}

std::string in_form(Form form, std::string_view text) {
  return form == Form::folded ? base::fold_case(text) : std::string(text);
}

namespace {

using Days = std::chrono::sys_days;

// The week has most of its days in its year, so it is the year of its Thursday.
int64_t week_of(Days day) {
  const auto from_monday = (std::chrono::weekday(day) - std::chrono::Monday).count();
  const Days thursday = day + std::chrono::days(3 - from_monday);
  const Days new_year = std::chrono::year_month_day(thursday).year() / std::chrono::January / 1;
  return (thursday - new_year).count() / 7 + 1;
}

}  // namespace

int64_t part_of(int64_t time_us, TimePart part) {
  const std::chrono::sys_time<std::chrono::microseconds> time{std::chrono::microseconds(time_us)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const auto since_midnight = std::chrono::floor<std::chrono::minutes>(time - day).count();
  const std::chrono::year_month_day date(day);
  switch (part) {
    case TimePart::none: return time_us;
    case TimePart::minute: return since_midnight % 60;
    case TimePart::hour: return since_midnight / 60;
    case TimePart::day: return static_cast<unsigned>(date.day());
    case TimePart::week: return week_of(day);
    case TimePart::month: return static_cast<unsigned>(date.month());
  }
  return time_us;
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
    case Operator::cidr: return base::in_cidr(text, operand);
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
