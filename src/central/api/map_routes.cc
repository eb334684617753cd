#include <nlohmann/json.hpp>

#include "central/api/handlers.h"
#include "central/api/json_response.h"
#include "central/api/parameters.h"
#include "central/hunts/dependency_map.h"

namespace redoubt::central {

namespace {

using nlohmann::ordered_json;

constexpr size_t kNodeIdBytesMax = 4096;

Result<std::optional<base::Time>> optional_time(const JsonBody& body, std::string_view key) {
  TRY(const auto text, body.optional_text(key, {.bytes_max = 64}));
  if (!text) return std::optional<base::Time>();
  const auto time = base::parse_time(*text);
  if (!time) return fail(Errc::invalid_argument, "'" + std::string(key) + "': not a time (2026-01-31T12:00:00Z)");
  return std::optional(*time);
}

Result<MapRequest> parse_map_request(const Request& request) {
  TRY(const JsonBody body, JsonBody::parse(request.body, {"kind", "id", "host_id", "since", "until", "limit"}));
  MapRequest wanted;
  TRY(const std::string kind, body.text("kind", {}));
  const auto named = map_kind_named(kind);
  if (!named) return fail(Errc::invalid_argument, "'kind': one of process, file, address, domain, host");
  wanted.kind = *named;
  TRY(wanted.id, body.text("id", {.bytes_min = 1, .bytes_max = kNodeIdBytesMax}));
  TRY(const auto host_id, body.optional_text("host_id", {}));
  wanted.host_id = host_id.value_or("");
  TRY(wanted.since, optional_time(body, "since"));
  TRY(wanted.until, optional_time(body, "until"));
  TRY(const int64_t limit, body.integer("limit", {kMapNeighboursDefault, 1, kMapNeighboursMax}));
  wanted.limit = static_cast<uint32_t>(limit);
  return wanted;
}

ordered_json map_node_json(const MapNode& node) {
  ordered_json json = {{"kind", name_of(node.kind)}, {"id", node.id}};
  const auto add = [&json](const char* key, const std::string& text) {
    if (!text.empty()) json[key] = text;
  };
  add("host_id", node.host_id);
  add("host_name", node.host_name);
  add("name", node.name);
  add("executable", node.executable);
  add("command_line", node.command_line);
  add("user", node.user);
  if (node.pid != 0) json["pid"] = node.pid;
  if (node.start.us != 0) json["start"] = base::format_time(node.start);
  return json;
}

std::string_view direction_name(MapDirection direction) { return direction == MapDirection::out ? "out" : "in"; }

ordered_json neighbour_json(const MapNeighbour& neighbour) {
  return {{"node", map_node_json(neighbour.node)},
          {"relation", name_of(neighbour.relation)},
          {"direction", direction_name(neighbour.direction)},
          {"count", neighbour.count},
          {"first", base::format_time(neighbour.first)},
          {"last", base::format_time(neighbour.last)},
          {"notes", neighbour.notes}};
}

ordered_json more_json(const MapAnswer& answer) {
  ordered_json json = ordered_json::array();
  for (size_t slot = 0; slot < answer.more.size(); ++slot) {
    if (answer.more[slot] == 0) continue;
    json.push_back({{"relation", name_of(static_cast<MapRelation>(slot / 2))},
                    {"direction", direction_name(static_cast<MapDirection>(slot % 2))},
                    {"count", answer.more[slot]}});
  }
  return json;
}

}  // namespace

Response map_neighbours(Services& services, const Request& request) {
  const auto wanted = parse_map_request(request);
  if (!wanted) return error_response(wanted.error());
  const auto answer = neighbours_of(services.events, *wanted);
  if (!answer) return error_response(answer.error());
  ordered_json neighbours = ordered_json::array();
  for (const MapNeighbour& neighbour : answer->neighbours) neighbours.push_back(neighbour_json(neighbour));
  return json_response({{"node", map_node_json(answer->node)},
                        {"neighbours", std::move(neighbours)},
                        {"more", more_json(*answer)},
                        {"partial", answer->partial}});
}

}  // namespace redoubt::central
