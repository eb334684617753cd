// Attributes as the store keeps them, a JSON object of texts in one column (event/json.h): what the scalar functions
// redoubt_attribute and redoubt_any_attribute do with it. Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace redoubt::query::sql {

// The attribute of exactly that name; nothing where there is none, or where the text is not such an object.
std::optional<std::string> attribute_in(std::string_view object, std::string_view name);

// True if a comparison holds for any attribute: `op` is an operator as query::name_of() writes it, `form` is
// `folded` or `raw`, the operand is in that form already (for regex: an RE2 source).
struct AttributeComparison {
  std::string_view op;
  std::string_view form;
  std::string_view operand;
};
bool any_attribute_in(std::string_view object, const AttributeComparison& comparison);

}  // namespace redoubt::query::sql
