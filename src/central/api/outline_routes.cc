#include <nlohmann/json.hpp>

#include "central/api/handlers.h"
#include "central/api/json_response.h"
#include "central/api/outline_json.h"
#include "central/api/parameters.h"
#include "query/hunt.h"

namespace redoubt::central {

namespace {

using nlohmann::ordered_json;

constexpr int64_t kValuesDefault = 12;

// Adds what is wrong with names and values, if anything is, and with which condition.
void add_mistake(ordered_json& json, const query::Outline& outline, const std::string& text) {
  const auto hunt = query::parse_hunt(text, base::Time::now());
  if (hunt) return;
  json["diagnostic"] = diagnostic_json(hunt.error(), text);
  if (const auto path = path_to(outline, text, hunt.error())) json["path"] = *path;
}

ordered_json cell_json(const store::Cell& cell) {
  if (const auto* number = std::get_if<int64_t>(&cell)) return *number;
  const auto* text = std::get_if<std::string>(&cell);
  return text != nullptr ? ordered_json(*text) : ordered_json(nullptr);
}

Result<ValuesRequest> parse_values_request(const Request& request) {
  TRY(const JsonBody body, JsonBody::parse(request.body, {"field", "contains", "query", "limit"}));
  ValuesRequest wanted;
  TRY(wanted.field, body.text("field", {.bytes_min = 1}));
  TRY(const auto contains, body.optional_text("contains", {}));
  TRY(const auto query, body.optional_text("query", {.bytes_max = query::kHuntTextMax}));
  TRY(const int64_t limit, body.integer("limit", {kValuesDefault, 1, kValuesMax}));
  wanted.contains = contains.value_or("");
  wanted.query = query.value_or("");
  wanted.limit = static_cast<uint32_t>(limit);
  return wanted;
}

}  // namespace

Response read_outline(Services&, const Request& request) {
  const auto body = JsonBody::parse(request.body, {"query"});
  if (!body) return error_response(body.error());
  const auto text = body->text("query", {.bytes_max = query::kHuntTextMax});
  if (!text) return error_response(text.error());
  const auto outline = query::outline_of(*text);
  if (!outline) return error_response(outline.error(), *text);
  ordered_json json = {{"where", outline_json(outline->where)}, {"pipes", outline->pipes}};
  add_mistake(json, *outline, *text);
  return json_response(json);
}

Response print_outline(Services&, const Request& request) {
  auto outline = parse_outline(request.body);
  if (!outline) return error_response(outline.error());
  const auto text = print(*outline);
  if (!text) return error_response(text.error());
  ordered_json json = {{"query", *text}};
  add_mistake(json, *outline, *text);
  return json_response(json);
}

Response seen_values(Services& services, const Request& request) {
  const auto wanted = parse_values_request(request);
  if (!wanted) return error_response(wanted.error());
  const auto values = services.hunts.values(*wanted, request.gone);
  if (!values) {
    const auto* diagnostic = std::get_if<query::Diagnostic>(&values.error());
    return diagnostic != nullptr ? error_response(*diagnostic, wanted->query)
                                 : error_response(std::get<Error>(values.error()));
  }
  ordered_json rows = ordered_json::array();
  for (const auto& [value, count] : values->values) rows.push_back({{"value", cell_json(value)}, {"count", count}});
  return json_response({{"values", rows}, {"partial", values->partial}});
}

}  // namespace redoubt::central
