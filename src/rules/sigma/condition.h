// The condition grammar of Sigma:
//   or := and ("or" and)*   and := not ("and" not)*   not := "not" not | atom
//   atom := "(" or ")" | ("1" | "any" | "all") "of" (pattern | "them") | identifier
// Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/sigma/problem.h"

namespace redoubt::rules::sigma {

enum class ConditionKind : uint8_t { all, any, negation, identifier };

struct Condition {
  ConditionKind kind = ConditionKind::all;
  std::string identifier;
  std::vector<Condition> children;
};

// Nesting of parentheses and `not`.
constexpr int kConditionDepthMax = 40;

// What a condition is parsed against: the names of the searches, and where its text stands.
struct ConditionScope {
  std::span<const std::string> identifiers;
  Place place;
  // Added to an offset in the text to make it a column; no caret inside the text where the two do not correspond.
  std::optional<size_t> text_offset;
  std::string_view missing = "detection has no search";  // what is said of a name that is not in scope
};

// Quantifiers are written out into `any` and `all` over identifiers that are in scope.
Condition parse_condition(std::string_view text, const ConditionScope& scope, Problems& problems);

}  // namespace redoubt::rules::sigma
