#include <nlohmann/json.hpp>

#include "base/file.h"
#include "central/api/handlers.h"
#include "central/api/json_response.h"

namespace redoubt::central {

namespace {

using nlohmann::ordered_json;

constexpr size_t kOpenapiBytesMax = size_t{4} << 20;

}  // namespace

Response get_health(Services& services, const Request&) {
  ordered_json components = ordered_json::array();
  bool sound = true;
  for (const HealthComponent& component : services.health()) {
    sound = sound && component.sound;
    components.push_back(
        {{"name", component.name}, {"status", component.sound ? "ok" : "degraded"}, {"detail", component.detail}});
  }
  return json_response(
      {{"status", sound ? "ok" : "degraded"}, {"version", services.facts.version}, {"components", components}});
}

Response get_metrics(Services& services, const Request&) {
  const store::StoreStats stats = services.events.stats();
  base::Metrics& metrics = services.metrics;
  const auto set = [&](std::string_view name, std::string_view help, uint64_t value) {
    metrics.gauge(name, help).set(static_cast<int64_t>(value));
  };
  set("redoubt_store_events", "events in the store", stats.events);
  set("redoubt_store_segments", "sealed segments", stats.segments);
  set("redoubt_store_segment_bytes", "bytes of the sealed segments", stats.segment_bytes);
  set("redoubt_store_spool_bytes", "bytes of the spool", stats.spool_bytes);
  set("redoubt_store_tail_events", "events not sealed yet", stats.tail_events);
  set("redoubt_objects_queued", "objects that wait to be scanned", services.objects.queued());
  return {.content_type = "text/plain; version=0.0.4; charset=utf-8", .body = metrics.expose()};
}

Response get_openapi(Services& services, const Request&) {
  const auto text = base::read_file(services.facts.openapi_path, kOpenapiBytesMax);
  if (!text) return error_response({Errc::not_found, "the API description is not installed"});
  return {.content_type = "application/yaml", .body = *text};
}

}  // namespace redoubt::central
