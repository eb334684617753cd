#include "central/api/outline_json.h"

#include <nlohmann/json.hpp>

#include "central/api/parameters.h"
#include "query/hunt.h"

namespace redoubt::central {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;
using query::OutlineKind;
using query::OutlineNode;

constexpr size_t kOutlinePipesMax = 32;

tl::unexpected<Error> refuse_member(std::string_view key, std::string_view why) {
  return fail(Errc::invalid_argument, "'" + std::string(key) + "': " + std::string(why));
}

Result<std::string> text_of(const json& object, std::string_view key) {
  const auto found = object.find(key);
  if (found == object.end()) return std::string();
  if (!found->is_string()) return refuse_member(key, "not a string");
  return found->get<std::string>();
}

Result<bool> flag_of(const json& object, std::string_view key) {
  const auto found = object.find(key);
  if (found == object.end()) return false;
  if (!found->is_boolean()) return refuse_member(key, "not true or false");
  return found->get<bool>();
}

// The array under the key; one that is absent is empty.
Result<json> array_of(const json& object, std::string_view key, size_t most) {
  const auto found = object.find(key);
  if (found == object.end()) return json::array();
  if (!found->is_array()) return refuse_member(key, "not an array");
  if (found->size() > most) return refuse_member(key, "more than " + std::to_string(most));
  return *found;
}

Result<query::OutlineValue> parse_value(const json& value) {
  if (!value.is_object()) return refuse_member("values", "not an object");
  TRY_STATUS(only_json_keys(value, {"kind", "text"}));
  TRY(const std::string name, text_of(value, "kind"));
  const auto kind = query::outline_value_kind_named(name);
  if (!kind) return refuse_member("kind", "of a value one of text, pattern, regex, word");
  TRY(std::string text, text_of(value, "text"));
  return query::OutlineValue{*kind, std::move(text)};
}

Status parse_test(const json& object, OutlineNode& node) {
  TRY(node.field, text_of(object, "field"));
  TRY(node.op, text_of(object, "operator"));
  TRY(node.opposite, flag_of(object, "opposite"));
  TRY(node.quantifier, text_of(object, "quantifier"));
  TRY(const json values, array_of(object, "values", query::kOutlineValuesMax));
  for (const json& value : values) {
    TRY(query::OutlineValue parsed, parse_value(value));
    node.values.push_back(std::move(parsed));
  }
  return {};
}

// As deep as the body's JSON may be (kJsonDepthMax).
Result<OutlineNode> parse_node(const json& object) {
  if (!object.is_object()) return refuse_member("where", "a condition is an object");
  TRY_STATUS(only_json_keys(
      object, {"kind", "negated", "children", "field", "operator", "opposite", "quantifier", "values", "text"}));
  TRY(const std::string name, text_of(object, "kind"));
  const auto kind = query::outline_kind_named(name);
  if (!kind) return refuse_member("kind", "of a condition one of all, any, test, text");
  OutlineNode node{.kind = *kind};
  TRY(node.negated, flag_of(object, "negated"));
  TRY(node.text, text_of(object, "text"));
  TRY_STATUS(parse_test(object, node));
  TRY(const json children, array_of(object, "children", query::kOutlineNodesMax));
  for (const json& child : children) {
    TRY(OutlineNode parsed, parse_node(child));
    node.children.push_back(std::move(parsed));
  }
  return node;
}

ordered_json test_json(const OutlineNode& node) {
  ordered_json json = {
      {"kind", "test"}, {"field", node.field}, {"operator", node.op}, {"values", ordered_json::array()}};
  for (const query::OutlineValue& value : node.values) {
    json["values"].push_back({{"kind", name_of(value.kind)}, {"text", value.text}});
  }
  if (node.opposite) json["opposite"] = true;
  if (!node.quantifier.empty()) json["quantifier"] = node.quantifier;
  return json;
}

ordered_json group_json(const OutlineNode& node) {
  ordered_json json = {{"kind", name_of(node.kind)}, {"children", ordered_json::array()}};
  for (const OutlineNode& child : node.children) json["children"].push_back(outline_json(child));
  return json;
}

}  // namespace

ordered_json outline_json(const OutlineNode& node) {
  ordered_json json;
  switch (node.kind) {
    case OutlineKind::all:
    case OutlineKind::any: json = group_json(node); break;
    case OutlineKind::test: json = test_json(node); break;
    case OutlineKind::text: json = {{"kind", "text"}, {"text", node.text}}; break;
  }
  if (node.negated) json["negated"] = true;
  return json;
}

Result<query::Outline> parse_outline(std::string_view body) {
  TRY(const json object, parse_json_object(body, {"where", "pipes"}));
  if (!object.contains("where")) return refuse_member("where", "is missing");
  query::Outline outline;
  TRY(outline.where, parse_node(object["where"]));
  TRY(const json pipes, array_of(object, "pipes", kOutlinePipesMax));
  for (const json& pipe : pipes) {
    if (!pipe.is_string()) return refuse_member("pipes", "not a string");
    outline.pipes.push_back(pipe.get<std::string>());
  }
  return outline;
}

}  // namespace redoubt::central
