// A Falco condition as a tree, before names mean anything:
//   or := and ("or" and)*   and := not ("and" not)*   not := "not"* ("(" or ")" | check)
//   check := macro | term operator values | term "exists"
// Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace redoubt::rules::falco {

enum class CheckOperator : uint8_t {
  exists,
  less,
  less_equal,
  greater,
  greater_equal,
  equal,
  not_equal,
  contains,
  icontains,
  startswith,
  endswith,
  glob,
  iglob,
  regex,
  bcontains,
  bstartswith,
  in,
  intersects,
  pmatch,
};

std::string_view name_of(CheckOperator op);
std::optional<CheckOperator> check_operator_named(std::string_view name);

// How many of a list's values a string operator needs.
enum class Quantity : uint8_t { one_value, oneof, anyof, allof };

std::string_view name_of(Quantity quantity);

enum class TermKind : uint8_t { field, transformer, literal, list };

struct Term {
  TermKind kind = TermKind::literal;
  std::string text;                     // field or transformer name, or the literal
  std::optional<std::string> argument;  // of a field: proc.aname[2]
  std::vector<Term> parts;              // a transformer's arguments, a list's items
};

enum class FilterKind : uint8_t { all, any, negation, check, macro };

struct Filter {
  FilterKind kind = FilterKind::all;
  std::vector<Filter> children;
  std::string macro;
  Term left;
  CheckOperator op = CheckOperator::exists;
  Quantity quantity = Quantity::one_value;
  std::vector<Term> values;
  size_t offset = 0;  // in the text of the condition
};

// Nesting of parentheses and transformers in one text, and bytes of a text with its lists written out.
constexpr int kFilterDepthMax = 100;
constexpr size_t kFilterTextMax = size_t{1} << 20;

struct FilterMistake {
  size_t offset = 0;
  std::string message;
  std::string hint;
};

struct ParsedFilter {
  Filter filter;
  std::optional<FilterMistake> mistake;
};

ParsedFilter parse_filter(std::string_view text);

// A term of an exception or an output: a field or a transformer and nothing behind it.
struct ParsedTerm {
  Term term;
  size_t end = 0;  // first byte that is not part of it
  std::optional<FilterMistake> mistake;
};
ParsedTerm parse_term(std::string_view text);

// As it could be written again: `(proc.name in (a, b) and not fd.name startswith /x)`.
std::string to_text(const Filter& filter);
std::string to_text(const Term& term);

}  // namespace redoubt::rules::falco
