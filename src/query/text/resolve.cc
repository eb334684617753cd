#include "query/text/resolve.h"

#include <algorithm>

#include "base/text.h"

namespace redoubt::query::text {

namespace {

// The name behind "attributes."; nothing where no attribute is named.
std::optional<std::string> attribute_named(std::string_view name) {
  if (!name.starts_with(event::kAttributePrefix) || name.size() == event::kAttributePrefix.size()) return std::nullopt;
  return std::string(name.substr(event::kAttributePrefix.size()));
}

}  // namespace

std::vector<event::NamedField> meanings_of(std::string_view name) {
  std::vector<event::NamedField> meanings;
  for (const event::NamedField& meaning : event::fields_named(name)) {
    if (meaning.family == event::NameFamily::canonical) return {meaning};
    const auto same = std::find_if(meanings.begin(), meanings.end(),
                                   [&](const event::NamedField& other) { return other.field == meaning.field; });
    if (same == meanings.end()) {
      meanings.push_back(meaning);
    } else {
      same->on |= meaning.on;
    }
  }
  return meanings;
}

tl::unexpected<Diagnostic> unknown_field(std::string_view source, const Token& name) {
  constexpr size_t kSuggestions = 3;
  std::string hint;
  for (const std::string& nearest : base::nearest_names(name.text, event::all_field_names(), kSuggestions)) {
    hint += (hint.empty() ? "did you mean '" : " or '") + nearest + "'";
  }
  if (!hint.empty()) hint += "?";
  return complain(source, name.span, {"Q102", "field '" + name.text + "' is not known", hint});
}

Outcome<event::Field> single_field(std::string_view source, const Token& name) {
  if (name.kind != TokenKind::word) return complain(source, name.span, {"Q201", "a field name is expected here", ""});
  const auto meanings = meanings_of(name.text);
  if (meanings.empty()) return unknown_field(source, name);
  if (meanings.size() == 1) return meanings.front().field;
  std::string names;
  for (const event::NamedField& meaning : meanings) {
    names += (names.empty() ? "" : ", ") + std::string(event::info(meaning.field).name);
  }
  return complain(source, name.span, {"Q305", "'" + name.text + "' stands for several fields", "name one of " + names});
}

namespace {

bool starts_like_a_name(std::string_view word) {
  const char c = word.front();
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '@';
}

// Words that are numbers, times or addresses name no field and stay as they are.
Outcome<ValueSyntax> resolve_value(std::string_view source, ValueSyntax value) {
  if (value.token.kind != TokenKind::word || !starts_like_a_name(value.token.text)) return value;
  if (value.token.is_keyword("NOW") || value.token.is_keyword("TODAY")) return value;
  if (meanings_of(value.token.text).empty()) return value;
  REDOUBT_OUTCOME(value.field, single_field(source, value.token));
  return value;
}

}  // namespace

Outcome<NodeSyntax> resolve(std::string_view source, NodeSyntax node) {
  for (NodeSyntax& child : node.children) {
    REDOUBT_OUTCOME(child, resolve(source, std::move(child)));
  }
  if (node.kind != NodeKind::test) return node;
  if (auto attribute = attribute_named(node.test.name.text)) {
    node.test.attribute = *std::move(attribute);
    node.test.meanings = {{event::Field::attributes, event::kAllEventTypes, event::NameFamily::canonical}};
  } else {
    node.test.meanings = meanings_of(node.test.name.text);
  }
  if (node.test.meanings.empty()) return unknown_field(source, node.test.name);
  for (ValueSyntax& value : node.test.values) {
    REDOUBT_OUTCOME(value, resolve_value(source, std::move(value)));
  }
  return node;
}

}  // namespace redoubt::query::text
