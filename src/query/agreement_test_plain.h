// For tests of the back ends: a plain evaluator that shares no code with them.
// One thread.
#pragma once

#include <re2/re2.h>
#include <algorithm>
#include <array>
#include <ctime>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/text.h"
#include "event/batch.h"
#include "query/expression.h"

namespace redoubt::query::agreement {

using event::Field;
using event::FieldType;
using event::Value;

// The plain evaluator: walks the tree as it was built, before normalize().
class Plain {
 public:
  explicit Plain(const event::Row& row) : row_(row) {}

  bool holds(const Expression& expression) const {
    if (const auto* node = std::get_if<And>(&expression.node)) {
      return std::all_of(node->children.begin(), node->children.end(),
                         [this](const auto& child) { return holds(child); });
    }
    if (const auto* node = std::get_if<Or>(&expression.node)) {
      return std::any_of(node->children.begin(), node->children.end(),
                         [this](const auto& child) { return holds(child); });
    }
    if (const auto* node = std::get_if<Not>(&expression.node)) return !holds(*node->child);
    return holds(std::get<Test>(expression.node));
  }

 private:
  using Text = std::optional<std::string>;

  // Of a field that is text, or of an attribute.
  Text text_of(Field field, const std::string& attribute) const {
    if (field != Field::attributes) {
      const Value value = row_.get(field);
      return value.is_text() ? Text(value.text()) : std::nullopt;
    }
    for (const event::Attribute& each : row_.attributes()) {
      if (row_.attribute_name(each) == attribute) return std::string(each.value);
    }
    return std::nullopt;
  }

  bool holds(const Test& test) const {
    std::vector<std::string> texts;
    if (test.field == Field::attributes && test.attribute.empty()) {
      for (const event::Attribute& each : row_.attributes()) texts.emplace_back(each.value);
    } else if (const Text text = text_of(test.field, test.attribute)) {
      texts.push_back(*text);
    } else if (row_.get(test.field).present()) {
      return test.op == Operator::exists || any_number(test, number_of(test, row_.get(test.field).integer()));
    }
    return std::any_of(texts.begin(), texts.end(), [&](const std::string& text) {
      if (test.op == Operator::exists) return true;
      const bool ordered = test.op == Operator::less || test.op == Operator::less_equal ||
                           test.op == Operator::greater || test.op == Operator::greater_equal;
      if (ordered) return re2::RE2::FullMatch(text, "-?[0-9]{1,18}") && any_number(test, std::stoll(text));
      return std::any_of(test.operands.begin(), test.operands.end(),
                         [&](const Operand& operand) { return fits(test, text, operand); });
    });
  }

  // By the C library's calendar.
  static int64_t number_of(const Test& test, int64_t value) {
    if (test.part == TimePart::none) return value;
    const auto seconds = static_cast<time_t>(value >= 0 ? value / 1'000'000 : (value - 999'999) / 1'000'000);
    tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 8> week{};
    switch (test.part) {
      case TimePart::minute: return parts.tm_min;
      case TimePart::hour: return parts.tm_hour;
      case TimePart::day: return parts.tm_mday;
      case TimePart::month: return parts.tm_mon + 1;
      case TimePart::week:
      case TimePart::none: break;
    }
    std::strftime(week.data(), week.size(), "%V", &parts);
    return std::stoll(week.data());
  }

  bool any_number(const Test& test, int64_t left) const {
    return std::any_of(test.operands.begin(), test.operands.end(),
                       [&](const Operand& operand) { return fits(test, left, operand); });
  }

  bool fits(const Test& test, int64_t left, const Operand& operand) const {
    int64_t right = 0;
    if (const auto* field = std::get_if<Field>(&operand)) {
      if (!row_.get(*field).present()) return false;
      right = row_.get(*field).integer();
    } else {
      right = std::get<int64_t>(operand);
    }
    switch (test.op) {
      case Operator::equal: return left == right;
      case Operator::less: return left < right;
      case Operator::less_equal: return left <= right;
      case Operator::greater: return left > right;
      default: return left >= right;
    }
  }

  bool fits(const Test& test, std::string left, const Operand& operand) const {
    const FieldType type = event::info(test.field).type;
    const bool by_mode = (type == FieldType::text || type == FieldType::keyword) && test.field != Field::event_type;
    const bool folds = by_mode && test.case_mode == CaseMode::folded;
    std::string right;
    if (const auto* constant = std::get_if<std::string>(&operand)) {
      right = type == FieldType::hash && test.op != Operator::regex ? base::fold_case(*constant) : *constant;
    } else {
      const auto* field = std::get_if<Field>(&operand);
      const Text other =
          field != nullptr ? text_of(*field, "") : text_of(Field::attributes, std::get<AttributeName>(operand).name);
      if (!other) return false;
      right = *other;
    }
    if (test.op == Operator::regex) {
      return found(left, right, folds || type == FieldType::hash ? CaseMode::folded : CaseMode::exact);
    }
    if (test.op == Operator::cidr) return base::in_cidr(left, right);
    if (folds) {
      left = base::fold_case(left);
      right = base::fold_case(right);
    }
    switch (test.op) {
      case Operator::equal: return left == right;
      case Operator::contains: return left.find(right) != std::string::npos;
      case Operator::starts_with: return left.rfind(right, 0) == 0;
      case Operator::ends_with: return left.size() >= right.size() && left.substr(left.size() - right.size()) == right;
      default: return matches(code_points(left), code_points(right));
    }
  }

  // Compiled once a round: the same expression judges many rows.
  static bool found(const std::string& text, const std::string& pattern, CaseMode mode) {
    static std::map<std::pair<std::string, CaseMode>, std::unique_ptr<re2::RE2>> known;
    constexpr size_t kKnownMax = 1000;
    if (known.size() > kKnownMax) known.clear();
    auto& regex = known[{pattern, mode}];
    if (regex == nullptr) {
      re2::RE2::Options options;
      options.set_dot_nl(true);
      options.set_case_sensitive(mode == CaseMode::exact);
      regex = std::make_unique<re2::RE2>(pattern, options);
    }
    return re2::RE2::PartialMatch(text, *regex);
  }

  static std::u32string code_points(std::string_view text) {
    std::u32string out;
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      if ((byte & 0xC0) == 0x80) {
        out.back() = out.back() << 6 | (byte & 0x3F);
      } else {
        out += byte < 0x80 ? byte : byte < 0xE0 ? byte & 0x1F : byte < 0xF0 ? byte & 0x0F : byte & 0x07;
      }
    }
    return out;
  }

  static bool matches(std::u32string_view text, std::u32string_view pattern) {
    if (pattern.empty()) return text.empty();
    if (pattern.front() == kAnyRun) {
      return matches(text, pattern.substr(1)) || (!text.empty() && matches(text.substr(1), pattern));
    }
    return !text.empty() && (pattern.front() == kAnyOne || pattern.front() == text.front()) &&
           matches(text.substr(1), pattern.substr(1));
  }

  const event::Row& row_;
};

// By event.sequence.
using Sequences = std::set<int64_t>;

inline Sequences by_plain(const event::Batch& batch, const Expression& expression) {
  Sequences found;
  for (size_t row = 0; row < batch.size(); ++row) {
    if (Plain(batch.row(row)).holds(expression)) found.insert(static_cast<int64_t>(row + 1));
  }
  return found;
}

}  // namespace redoubt::query::agreement
