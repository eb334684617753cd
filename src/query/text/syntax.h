// The syntax tree of hunting text: what was written, with its places; names are looked up by resolve(). Values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "event/field.h"
#include "query/text/token.h"

namespace redoubt::query::text {

enum class Verb : uint8_t {
  equal,
  less,
  less_equal,
  greater,
  greater_equal,
  contains,
  starts,
  ends,
  matches,
  like,
  cidr,
  in,
  exists,
};

enum class Sense : uint8_t { positive, negative };  // CONTAINS, !CONTAINS
enum class Quantifier : uint8_t { none, any, all };

struct ValueSyntax {
  Token token;
  std::optional<event::Field> field;  // after resolve(): the value is this field's
};

struct TestSyntax {
  Token name;
  Span operator_span;
  Verb verb = Verb::exists;
  Sense sense = Sense::positive;
  Quantifier quantifier = Quantifier::none;
  std::vector<ValueSyntax> values;
  std::vector<event::NamedField> meanings;  // after resolve()
  std::string attribute;                    // where the meaning is event::Field::attributes: which one
};

enum class NodeKind : uint8_t { all_of, any_of, negation, test };

struct NodeSyntax {
  NodeKind kind = NodeKind::all_of;
  std::vector<NodeSyntax> children;
  TestSyntax test;  // kind test
  Span span;        // with its parentheses, if it has any
  bool parenthesised = false;
};

// One `| …`: its words, the first of which is its name.
struct PipeSyntax {
  std::vector<Token> tokens;
  Span end;  // just behind it
};

struct QuerySyntax {
  NodeSyntax where;
  std::vector<PipeSyntax> pipes;
};

}  // namespace redoubt::query::text
