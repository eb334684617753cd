#include <nlohmann/json.hpp>

#include "central/api/export_response.h"
#include "central/api/handlers.h"
#include "central/api/hunt_json.h"
#include "central/api/json_response.h"
#include "central/api/parameters.h"
#include "query/hunt.h"
#include "query/outline.h"

namespace redoubt::central {

namespace {

using nlohmann::ordered_json;

constexpr int64_t kBucketsDefault = 100;
constexpr std::string_view kJsonLines = "application/jsonl";

struct HuntBody {
  std::string query;
  int64_t limit = kHuntRowsDefault;
  int64_t offset = 0;
  int64_t buckets = kBucketsDefault;
};

Result<HuntBody> parse_hunt_body(const Request& request, std::initializer_list<std::string_view> keys) {
  TRY(const JsonBody body, JsonBody::parse(request.body, keys));
  HuntBody hunt;
  TRY(hunt.query, body.text("query", {.bytes_max = query::kHuntTextMax}));
  TRY(hunt.limit, body.integer("limit", {kHuntRowsDefault, 1, query::kHuntLimitMax}));
  TRY(hunt.offset, body.integer("offset", {0, 0, kHuntOffsetMax}));
  TRY(hunt.buckets, body.integer("buckets", {kBucketsDefault, 1, kHistogramBucketsMax}));
  return hunt;
}

Response hunt_error(const HuntError& error, const std::string& source) {
  if (const auto* diagnostic = std::get_if<query::Diagnostic>(&error)) return error_response(*diagnostic, source);
  return error_response(std::get<Error>(error));
}

Response answer_response(const HuntAnswer& answer) {
  ordered_json json = rows_json(answer.result);
  json["partial"] = answer.result.partial;
  if (answer.result.partial) json["partial_why"] = answer.result.partial_why;
  json["took_ms"] = answer.took_ms;
  return json_response(json);
}

// A line for the first rows, and more of them, as they are found; one for the rest, or the error, ends it.
Response run_in_parts(Services& services, const Request& request, const std::string& query, const HuntPage& page) {
  const auto checked = services.hunts.check(query);
  if (!checked) return hunt_error(checked.error(), query);
  Response response{.content_type = std::string(kJsonLines)};
  response.parts = [&services, query, page, gone = request.gone](const SendPart& send) {
    ptrdiff_t told = 0;
    auto answer = services.hunts.run(query, page, gone, [&](const store::HuntResult& part) {
      told += std::ssize(part.rows);
      send(json_response(rows_json(part)).body + "\n");
    });
    if (answer) answer->result.rows.erase(answer->result.rows.begin(), answer->result.rows.begin() + told);
    send((answer ? answer_response(*answer) : hunt_error(answer.error(), query)).body + "\n");
  };
  return response;
}

// "k:FileName@process s:Image" as [FileName, Image].
ordered_json alias_names(std::string_view aliases) {
  ordered_json names = ordered_json::array();
  while (!aliases.empty()) {
    const size_t blank = std::min(aliases.find(' '), aliases.size());
    std::string_view alias = aliases.substr(0, blank);
    aliases.remove_prefix(std::min(blank + 1, aliases.size()));
    if (const size_t colon = alias.find(':'); colon != std::string_view::npos) alias.remove_prefix(colon + 1);
    alias = alias.substr(0, alias.find('@'));
    if (!alias.empty()) names.push_back(alias);
  }
  return names;
}

}  // namespace

Response list_fields(Services&, const Request&) {
  ordered_json fields = ordered_json::array(), types = ordered_json::array();
  for (const event::FieldInfo& field : event::kFields) {
    fields.push_back({{"name", field.name},
                      {"type", event::name_of(field.type)},
                      {"operators", query::operators_of(field.field)},
                      {"aliases", alias_names(field.aliases)},
                      {"help", field.help}});
  }
  for (const event::EventTypeInfo& type : event::kEventTypes) {
    types.push_back({{"name", type.name}, {"help", type.help}});
  }
  return json_response({{"fields", fields}, {"event_types", types}});
}

Response run_hunt(Services& services, const Request& request) {
  const auto body = parse_hunt_body(request, {"query", "limit", "offset"});
  if (!body) return error_response(body.error());
  const HuntPage page{.limit = static_cast<uint32_t>(body->limit), .offset = static_cast<uint32_t>(body->offset)};
  if (request.header("accept") == kJsonLines) return run_in_parts(services, request, body->query, page);
  const auto answer = services.hunts.run(body->query, page, request.gone);
  return answer ? answer_response(*answer) : hunt_error(answer.error(), body->query);
}

Response export_hunt(Services& services, const Request& request) {
  const auto asked = parse_export(request);
  if (!asked) return error_response(asked.error());
  return export_response(*asked, services.exports.run(asked->query, asked->format, request.gone));
}

Response hunt_histogram(Services& services, const Request& request) {
  const auto body = parse_hunt_body(request, {"query", "buckets"});
  if (!body) return error_response(body.error());
  const auto histogram = services.hunts.histogram(body->query, static_cast<uint32_t>(body->buckets), request.gone);
  if (!histogram) return hunt_error(histogram.error(), body->query);
  ordered_json buckets = ordered_json::array();
  for (const auto& [time, count] : histogram->buckets) {
    buckets.push_back({{"time", base::format_time(time)}, {"count", count}});
  }
  return json_response({{"width_us", histogram->width_us}, {"buckets", buckets}});
}

Response check_hunt(Services& services, const Request& request) {
  const auto body = parse_hunt_body(request, {"query"});
  if (!body) return error_response(body.error());
  const auto sound = services.hunts.check(body->query);
  return sound ? json_response({{"ok", true}}) : hunt_error(sound.error(), body->query);
}

}  // namespace redoubt::central
