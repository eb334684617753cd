// Hunting text as the groups and tests that were written, before names are looked up: what the console's builder shows
// and changes. Text → outline → text means the same (outline_test.cc compares the trees); names, relative times and
// quantifiers stay as they were written, blanks and superfluous parentheses do not. Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "base/result.h"
#include "event/field.h"
#include "query/diagnostic.h"

namespace redoubt::query {

enum class OutlineValueKind : uint8_t {
  text,     // exactly these characters
  pattern,  // * and ? are wildcards, behind a backslash they are characters; of = IN LIKE
  regex,    // of MATCHES
  word,     // without quotes: a number, a time, an address, the name of another field
};
std::string_view name_of(OutlineValueKind kind);
std::optional<OutlineValueKind> outline_value_kind_named(std::string_view name);

struct OutlineValue {
  OutlineValueKind kind = OutlineValueKind::text;
  std::string text;

  friend bool operator==(const OutlineValue&, const OutlineValue&) = default;
};

enum class OutlineKind : uint8_t { all, any, test, text };
std::string_view name_of(OutlineKind kind);
std::optional<OutlineKind> outline_kind_named(std::string_view name);

struct OutlineNode {
  OutlineKind kind = OutlineKind::all;
  bool negated = false;               // NOT before it
  std::vector<OutlineNode> children;  // all, any

  // test: FIELD [quantifier] [NOT] operator values. `a NOT CONTAINS "x"` is opposite, `NOT a CONTAINS "x"` negated.
  std::string field;
  std::string op;  // one of kOutlineOperators
  bool opposite = false;
  std::string quantifier;  // "", ANY, ALL
  std::vector<OutlineValue> values;

  std::string text;  // text: hunting text without pipes, what has no other form

  size_t offset = 0, size = 0;  // where it stands in the text that it was read from or printed to, bytes
};

struct Outline {
  OutlineNode where;
  std::vector<std::string> pipes;  // as they were written, without the |
};

// What is nested deeper, or is more, is one node of kind text.
constexpr int kOutlineLevelsMax = 7;  // the root is one
constexpr size_t kOutlineNodesMax = 500;
constexpr size_t kOutlineValuesMax = 2000;

inline constexpr std::string_view kOutlineOperators[] = {"=",    "<",       "<=",   ">",    ">=", "CONTAINS", "STARTS",
                                                         "ENDS", "MATCHES", "LIKE", "CIDR", "IN", "EXISTS"};

// Refuses what is no hunting text by its form. Whether names and values are right says parse_hunt().
tl::expected<Outline, Diagnostic> outline_of(std::string_view text);

// The text of an outline that anybody may have sent, and in its nodes where they stand in it. invalid_argument where a
// part would be another part of the text than it says: a name with blanks, a pipe with a |. Groups without a child are
// left out.
Result<std::string> print(Outline& outline);

// From the root to the innermost node at the diagnostic's place, as positions among the children; nothing where it
// stands in none. `text` is what the diagnostic is about and the outline was read from or printed to.
std::optional<std::vector<size_t>> path_to(const Outline& outline, std::string_view text, const Diagnostic& diagnostic);

// The operators of a field as hunting text has them: "=", "!=", "CONTAINS", …
std::vector<std::string_view> operators_of(event::Field field);

}  // namespace redoubt::query
