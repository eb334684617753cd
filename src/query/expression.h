// The expression tree: what every front end (hunting text, Sigma, exclusions) lowers to, and what both back ends
// (match/, sql/) take. Values; read-only after it is built.
//
// Logic is two-valued: a test of a field that the event does not have is false, whatever the operator. A front end
// whose language wants `a != 1` to need the field writes And(exists(a), Not(equal(a, 1))); one whose `not` ignores
// absence writes Not alone.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "event/field.h"

namespace redoubt::query {

enum class Operator : uint8_t {
  equal,  // any textual type; integer and time
  less,   // integer, time, attributes
  less_equal,
  greater,
  greater_equal,
  contains,  // textual
  starts_with,
  ends_with,
  like,    // textual: pattern of kAnyRun and kAnyOne and literal characters
  regex,   // textual: RE2, found anywhere
  cidr,    // ip: "10.0.0.0/8", "fd00::/8"
  exists,  // any type, no operand
};

std::string_view name_of(Operator op);

// Whether text is compared with its case folded (base::fold_case on both sides) or byte by byte. Ids are always exact;
// hashes and event types are stored in lower case, and what they are compared with is folded, whatever stands here.
enum class CaseMode : uint8_t { folded, exact };

// Of a time, what is compared instead of it, in UTC: minute 0–59, hour 0–23, day of the month 1–31, week of the year
// after ISO 8601 1–53, month 1–12.
enum class TimePart : uint8_t { none, minute, hour, day, week, month };

std::string_view name_of(TimePart part);

// Wildcards inside a `like` pattern: private-use code points, so that every character of a value can stand for itself.
constexpr char32_t kAnyRun = 0xF0000;
constexpr char32_t kAnyOne = 0xF0001;
constexpr std::string_view kAnyRunUtf8 = "\xF3\xB0\x80\x80";
constexpr std::string_view kAnyOneUtf8 = "\xF3\xB0\x80\x81";

// An attribute (event::Field::attributes) by its exact name.
struct AttributeName {
  std::string name;

  friend auto operator<=>(const AttributeName&, const AttributeName&) = default;
};

// What a field is compared with. Times are int64_t microseconds. Another field or attribute: compared with its value.
using Operand = std::variant<std::string, int64_t, event::Field, AttributeName>;

constexpr bool is_constant(const Operand& operand) { return operand.index() < 2; }

// One test of one field: true if any of the operands holds. Of event::Field::attributes it is about the attribute of
// the given name; without a name, true if it is true of any attribute. Attributes are text; where one is ordered
// (less …) by a number, what is no decimal number fits nothing. A part of a time is compared with numbers alone.
struct Test {
  event::Field field{};
  std::string attribute{};
  Operator op = Operator::exists;
  CaseMode case_mode = CaseMode::folded;
  TimePart part = TimePart::none;
  std::vector<Operand> operands;

  friend bool operator==(const Test&, const Test&) = default;
};

struct Expression;
struct And {
  std::vector<Expression> children;  // none: true
};
struct Or {
  std::vector<Expression> children;  // none: false
};
struct Not {
  std::unique_ptr<Expression> child;
};

struct Expression {
  std::variant<And, Or, Not, Test> node;

  static Expression all_of(std::vector<Expression> children);
  static Expression any_of(std::vector<Expression> children);
  static Expression negate(Expression child);
  static Expression constant(bool value);
  static Expression test(event::Field field, Operator op, std::vector<Operand> operands,
                         CaseMode case_mode = CaseMode::folded);
  static Expression test_attribute(std::string name, Operator op, std::vector<Operand> operands,
                                   CaseMode case_mode = CaseMode::folded);
  // True if the event is of one of the types.
  static Expression of_types(event::EventTypeSet types);

  Expression clone() const;
};

// Deepest nesting that any front end may build, and the most tests in one tree.
constexpr int kDepthMax = 100;
constexpr size_t kTestsMax = 20'000;

// Makes an equivalent tree that both back ends take: children of like kind flattened, constants folded, patterns that
// are plain made plain, operands in the form in which they are compared. Refuses (invalid_argument) operands and
// operators of the wrong type for their field, bad regular expressions and prefixes, and what is past the limits above.
Result<Expression> normalize(Expression expression);

// A stable text form for tests and logs: `(and (= process.name "curl") (not (exists user.name)))`.
std::string to_text(const Expression& expression);

}  // namespace redoubt::query
