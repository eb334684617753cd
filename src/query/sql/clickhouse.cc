#include "query/sql/clickhouse.h"

#include <algorithm>

#include "query/pattern.h"
#include "query/semantics.h"
#include "query/sql/clickhouse_row.h"

namespace redoubt::query::sql::clickhouse {

namespace {

using event::Field;

bool is_of_any_attribute(const Test& test) { return test.field == Field::attributes && test.attribute.empty(); }

std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    if (c == '\0') {
      out += "\\0";
    } else {
      out += c;
    }
  }
  return out + "'";
}

std::string column(std::string_view name) { return std::string(name); }

std::string column_of(Field field) { return std::string(event::info(field).column); }

// The element of one array that stands where the other has the needle; NULL where it has none.
std::string element_beside(std::string_view values, std::string_view keys, const std::string& needle) {
  return "if(has(" + column(keys) + ", " + needle + "), " + column(values) + "[indexOf(" + column(keys) + ", " +
         needle + ")], NULL)";
}

std::string folded(const std::string& fold, const std::string& value) {
  return "if(empty(" + fold + "), lower(" + value + "), " + fold + ")";
}

std::string folded_attribute(std::string_view name) {
  const std::string values = element_beside(kAttributeValuesColumn, kAttributeNamesColumn, quoted(name));
  return folded(element_beside(kAttributeFoldsColumn, kAttributeNamesColumn, quoted(name)), values);
}

std::string attribute_of(std::string_view name, Form form) {
  if (form == Form::folded) return folded_attribute(name);
  return element_beside(kAttributeValuesColumn, kAttributeNamesColumn, quoted(name));
}

std::string value_in(Field field, Form form) {
  if (form == Form::raw) return column_of(field);
  const std::string number = std::to_string(event::info(field).number);
  return "if(has(" + column(kFoldFieldsColumn) + ", " + number + "), " + column(kFoldTextsColumn) + "[indexOf(" +
         column(kFoldFieldsColumn) + ", " + number + ")], lower(" + column_of(field) + "))";
}

Form form_in(Field field, CaseMode mode) {
  return event::is_textual(event::info(field).type) ? form_of(field, mode) : Form::raw;
}

// number_of() of semantics.h.
std::string number_of_text(const std::string& value) {
  return "if(match(" + value + ", '(\\\\A-?[0-9]{1," + std::to_string(kNumberDigitsMax) + "}\\\\z)'), toInt64OrNull(" +
         value + "), NULL)";
}

// The whole text has the form: as a regular expression, in a group, since ClickHouse looks for required parts of what
// stands outside.
std::string pattern_regex(std::string_view pattern) {
  std::string out = "(?s)(\\A";
  while (!pattern.empty()) {
    if (pattern.starts_with(kAnyRunUtf8) || pattern.starts_with(kAnyOneUtf8)) {
      out += pattern.starts_with(kAnyRunUtf8) ? ".*" : ".";
      pattern.remove_prefix(kAnyRunUtf8.size());
      continue;
    }
    const char c = pattern.front();
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
                       static_cast<signed char>(c) < 0;
    if (c == '\0') {
      out += "\\x00";
    } else {
      if (!plain) out += '\\';
      out += c;
    }
    pattern.remove_prefix(1);
  }
  return out + "\\z)";
}

// Parts of a time, with whole numbers alone: a DateTime there ends with 2106. Days are counted from so long before the
// epoch that all are positive; what the Gregorian calendar repeats every 146097 days stays.
class Calendar {
 public:
  explicit Calendar(const std::string& time) : time_(time) {}

  std::string part(TimePart part) const {
    switch (part) {
      case TimePart::none: return time_;
      case TimePart::minute: return "(intDiv(" + of_day() + ", 60000000) % 60)";
      case TimePart::hour: return "intDiv(" + of_day() + ", 3600000000)";
      case TimePart::day: return "(" + of_year(days()) + " - " + month_start(days()) + " + 1)";
      case TimePart::week: return week();
      case TimePart::month: return month(days());
    }
    return time_;
  }

 private:
  static constexpr std::string_view kCycle = "146097";

  // 0 … 86399999999
  std::string of_day() const {
    const std::string rest = "(" + time_ + " % toInt64(" + std::to_string(kDayUs) + "))";
    return "(" + rest + " + if(" + rest + " < 0, toInt64(" + std::to_string(kDayUs) + "), toInt64(0)))";
  }
  // Since the first of March of a year 0.
  std::string days() const {
    const std::string day = std::to_string(kDayUs);
    return "(intDiv(" + time_ + ", toInt64(" + day + ")) - if(" + time_ + " % toInt64(" + day +
           ") < 0, 1, 0) + toInt64(146816468))";  // 719468 and a thousand cycles
  }
  static std::string of_cycle(const std::string& days) {
    return "(" + days + " % toInt64(" + std::string(kCycle) + "))";
  }
  // After http://howardhinnant.github.io/date_algorithms.html, "civil_from_days".
  static std::string year(const std::string& days) {
    const std::string doe = of_cycle(days);
    return "intDiv(" + doe + " - intDiv(" + doe + ", 1460) + intDiv(" + doe + ", 36524) - intDiv(" + doe +
           ", 146096), 365)";
  }
  // The day of a year that begins with March.
  static std::string of_year(const std::string& days) {
    const std::string y = year(days);
    return "(" + of_cycle(days) + " - (365 * " + y + " + intDiv(" + y + ", 4) - intDiv(" + y + ", 100)))";
  }
  // March is 0.
  static std::string late_month(const std::string& days) { return "intDiv(5 * " + of_year(days) + " + 2, 153)"; }
  static std::string month_start(const std::string& days) { return "intDiv(153 * " + late_month(days) + " + 2, 5)"; }
  static std::string month(const std::string& days) {
    const std::string m = late_month(days);
    return "(" + m + " + if(" + m + " < 10, 3, -9))";
  }
  // The week has most of its days in its year, so it is the year of its Thursday.
  std::string week() const {
    // A Wednesday was the first of March of the year 0; a cycle has whole weeks.
    const std::string thursday = "(" + days() + " + 3 - (" + days() + " + 2) % 7)";
    const std::string y = year(thursday);
    const std::string leap = "if(" + y + " % 4 = 0 AND (" + y + " % 100 != 0 OR " + y + " = 0), 1, 0)";
    const std::string from_march = of_year(thursday);
    return "(intDiv(" + from_march + " + if(" + from_march + " >= 306, -306, 59 + " + leap + "), 7) + 1)";
  }

  const std::string& time_;
};

struct Writer {
  std::string out;

  void write(const Expression& expression) { std::visit(*this, expression.node); }

  void list(const std::vector<Expression>& children, std::string_view joint, std::string_view empty) {
    if (children.empty()) {
      out += empty;
      return;
    }
    out += '(';
    for (size_t i = 0; i < children.size(); ++i) {
      if (i > 0) out += joint;
      write(children[i]);
    }
    out += ')';
  }

  void operator()(const And& node) { list(node.children, " AND ", "1"); }
  void operator()(const Or& node) { list(node.children, " OR ", "0"); }
  void operator()(const Not& node) {
    out += "(NOT ifNull(";
    write(*node.child);
    out += ", 0))";
  }

  void operator()(const Test& test) {
    if (test.op == Operator::exists) {
      out += "(" + raw_value(test) + " IS NOT NULL)";
      return;
    }
    std::vector<const Operand*> constants;
    std::vector<const Operand*> others;
    for (const Operand& operand : test.operands) {
      const bool listed = test.op == Operator::equal && is_constant(operand) && !is_of_any_attribute(test);
      (listed ? constants : others).push_back(&operand);
    }
    std::string_view joint = "(";
    if (!constants.empty()) {
      out += joint;
      equals(test, constants);
      joint = " OR ";
    }
    for (const Operand* operand : others) {
      out += joint;
      out += is_of_any_attribute(test) ? compared_any_attribute(test, *operand) : compared(test, left(test), *operand);
      joint = " OR ";
    }
    if (joint == "(") out += "(0";
    out += ')';
  }

  static std::string raw_value(const Test& test) {
    if (!test.attribute.empty()) return attribute_of(test.attribute, Form::raw);
    return column_of(test.field);
  }

  static std::string left(const Test& test) {
    if (test.part != TimePart::none) return Calendar(column_of(test.field)).part(test.part);
    if (is_ordering(test.op) && test.field == Field::attributes) return number_of_text(raw_value(test));
    if (test.op == Operator::regex) return raw_value(test);
    const Form form = form_in(test.field, test.case_mode);
    return test.attribute.empty() ? value_in(test.field, form) : attribute_of(test.attribute, form);
  }

  static std::string operand_of(const Test& test, const Operand& operand) {
    if (const auto* field = std::get_if<Field>(&operand)) {
      const bool textual = event::is_textual(event::info(test.field).type);
      return value_in(*field, textual ? form_of(test.field, test.case_mode) : Form::raw);
    }
    if (const auto* attribute = std::get_if<AttributeName>(&operand)) {
      return attribute_of(attribute->name, form_of(test.field, test.case_mode));
    }
    if (const auto* text = std::get_if<std::string>(&operand)) return quoted(operand_text(test, *text));
    return literal(std::get<int64_t>(operand));
  }

  void equals(const Test& test, const std::vector<const Operand*>& operands) {
    out += left(test);
    out += operands.size() == 1 ? " = " : " IN (";
    for (size_t i = 0; i < operands.size(); ++i) {
      if (i > 0) out += ", ";
      out += operand_of(test, *operands[i]);
    }
    if (operands.size() > 1) out += ')';
  }

  static std::string compared(const Test& test, const std::string& value, const Operand& operand) {
    switch (test.op) {
      case Operator::equal: return value + " = " + operand_of(test, operand);
      case Operator::less: return value + " < " + operand_of(test, operand);
      case Operator::less_equal: return value + " <= " + operand_of(test, operand);
      case Operator::greater: return value + " > " + operand_of(test, operand);
      case Operator::greater_equal: return value + " >= " + operand_of(test, operand);
      case Operator::contains: return "position(" + value + ", " + operand_of(test, operand) + ") > 0";
      case Operator::starts_with: return "startsWith(" + value + ", " + operand_of(test, operand) + ")";
      case Operator::ends_with: return "endsWith(" + value + ", " + operand_of(test, operand) + ")";
      case Operator::regex: return "match(" + value + ", " + operand_of(test, operand) + ")";
      case Operator::like:
        return "match(" + value + ", " + quoted(pattern_regex(operand_text(test, std::get<std::string>(operand)))) +
               ")";
      case Operator::cidr: return in_range(key_of(test), operand_text(test, std::get<std::string>(operand)));
      case Operator::exists: return "0";
    }
    return "0";
  }

  static std::string key_of(const Test& test) {
    if (test.field != Field::attributes) return address_key_column(test.field);
    return element_beside(kAttributeKeysColumn, kAttributeNamesColumn, quoted(test.attribute));
  }

  static std::string between(const std::string& key, const KeyRange& range) {
    return "(" + key + " >= " + quoted(range.first) + " AND " + key + " <= " + quoted(range.last) + ")";
  }

  static std::string in_range(const std::string& key, std::string_view prefix) {
    const KeyRange range = key_range(prefix);
    if (!range.first.starts_with('4')) return between(key, range);
    return "(" + between(key, range) + " OR " + between(key, mapped(range)) + ")";
  }

  // any_attribute_in() of attribute_text.h. An operand from the row stands before the function as well: 18.16 does not
  // find columns that are in a function of an array alone.
  static std::string compared_any_attribute(const Test& test, const Operand& asked) {
    const auto* number = std::get_if<int64_t>(&asked);
    const Operand operand = number != nullptr && !is_ordering(test.op) ? Operand(std::to_string(*number)) : asked;
    if (is_ordering(test.op))
      return any_element("v", compared(test, number_of_text("v"), operand), {kAttributeValuesColumn});
    if (test.op == Operator::cidr) {
      return any_element("k", in_range("k", operand_text(test, std::get<std::string>(operand))),
                         {kAttributeKeysColumn});
    }
    const bool folds = test.op != Operator::regex && form_of(test.field, test.case_mode) == Form::folded;
    const std::string any = folds ? any_element("v, f", compared(test, folded("f", "v"), operand),
                                                {kAttributeValuesColumn, kAttributeFoldsColumn})
                                  : any_element("v", compared(test, "v", operand), {kAttributeValuesColumn});
    if (is_constant(operand)) return any;
    return "(" + operand_of(test, operand) + " IS NOT NULL AND " + any + ")";
  }

  static std::string any_element(std::string_view names, const std::string& holds,
                                 std::initializer_list<std::string_view> arrays) {
    std::string out = "arrayExists((" + std::string(names) + ") -> toUInt8(ifNull(" + holds + ", 0))";
    for (const std::string_view array : arrays) out += ", " + column(array);
    return out + ")";
  }
};

std::string date_literal(int64_t day) {
  return "toDate(" + std::to_string(std::clamp(day, int64_t{0}, kDaysMax)) + ")";
}

}  // namespace

std::string literal(const Parameter& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return quoted(*text);
  return "toInt64('" + std::to_string(std::get<int64_t>(value)) + "')";
}

std::string condition(const Expression& expression) {
  Writer writer;
  writer.write(expression);
  return std::move(writer.out);
}

std::string bounds(const Hunt& hunt) {
  if (!hunt.since && !hunt.until) return "";
  const std::string time = column_of(Field::event_time);
  std::string day;
  std::string bounds;
  if (hunt.since) {
    day += column(kDayColumn) + " >= " + date_literal(day_of(hunt.since->us)) + " AND ";
    bounds += time + " >= " + literal(hunt.since->us) + " AND ";
  }
  if (hunt.until) {
    day += column(kDayColumn) + " <= " + date_literal(day_of(hunt.until->us)) + " AND ";
    bounds += time + " < " + literal(hunt.until->us) + " AND ";
  }
  day.resize(day.size() - std::string_view(" AND ").size());
  return "(" + column(kDayColumn) + " < " + date_literal(kLikelyDaysFrom) + " OR " + day + ") AND " + bounds;
}

}  // namespace redoubt::query::sql::clickhouse
