// What a test means, said once for both back ends: in which form a value and an operand are compared, and how a regular
// expression is read. Inside this module only. Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "query/expression.h"

namespace redoubt::query {

enum class Form : uint8_t { raw, folded };

// The form of the field's value in textual operators. Ids, hashes, addresses and event types are compared as they are
// stored (hashes and event types in lower case, addresses in their canonical form), so that storage indexes serve them.
Form form_of(event::Field field, CaseMode case_mode);

// The operand as it is compared: folded with its field, hashes in lower case, event types by their name, addresses of
// `equal` in canonical form.
std::string operand_text(const Test& test, std::string_view operand);

bool is_ascii(std::string_view text);
// The letters outside ASCII that fold to one inside: the Kelvin sign, the long s. In a text without them folding means
// for ASCII what ignoring the case of its letters means.
constexpr auto kFoldedIntoAscii = std::to_array<std::string_view>({"\xE2\x84\xAA", "\xC5\xBF"});
std::string in_form(Form form, std::string_view text);

// Operators of order compare numbers alone.
constexpr bool is_ordering(Operator op) {
  return op == Operator::less || op == Operator::less_equal || op == Operator::greater || op == Operator::greater_equal;
}
// The part of a time, microseconds since the epoch; the time itself where it is none.
int64_t part_of(int64_t time_us, TimePart part);
// What a text is where it is ordered: digits, a minus before them or not; nothing for any other.
std::optional<int64_t> number_of(std::string_view text);

// One textual comparison, both sides in their form; false for operators that are not textual, and for regex.
bool text_holds(Operator op, std::string_view text, std::string_view operand);

// The RE2 source with its flags: a dot takes every character; without case unless the field or the test is exact.
std::string regex_source(const Test& test, std::string_view pattern);

constexpr int64_t kRegexMemoryMax = int64_t{1} << 20;
constexpr size_t kRegexSizeMax = 8192;
constexpr size_t kNumberDigitsMax = 18;

}  // namespace redoubt::query
