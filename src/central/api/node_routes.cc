#include <nlohmann/json.hpp>

#include "base/file.h"
#include "central/api/handlers.h"
#include "central/api/json_response.h"

namespace redoubt::central {

namespace {

using nlohmann::ordered_json;

constexpr size_t kOpenapiBytesMax = size_t{4} << 20;

// In aggregate: a label a rule would be thousands of series.
void set_rule_metrics(Services& services) {
  base::Metrics& metrics = services.metrics;
  const auto rules = services.rules.current();
  const auto set = [&](std::string_view name, std::string_view help, size_t value) {
    metrics.gauge(name, help).set(static_cast<int64_t>(value));
  };
  set("redoubt_rules", "rules that are loaded", rules->rules().size());
  set("redoubt_rules_enabled", "rules that are loaded and on", rules->live().size());
  set("redoubt_rules_refused", "rules that could not be loaded", rules->files().refusals().size());
  set("redoubt_rule_exclusions", "exclusions, expired ones too", rules->exclusions().size());
  query::match::RuleCounter sum;
  for (const auto& [id, counter] : services.judge.counters()) {
    sum.evaluated += counter.evaluated;
    sum.matched += counter.matched;
    sum.sampled_ns += counter.sampled_ns;
  }
  const auto total = [&](std::string_view name, std::string_view help, uint64_t value) {
    metrics.counter(name, help).set(static_cast<int64_t>(value));
  };
  total("redoubt_rule_evaluations_total", "events times rules whose tests were looked at", sum.evaluated);
  total("redoubt_rule_matches_total", "events times rules that matched", sum.matched);
  total("redoubt_rule_evaluation_nanoseconds_total", "time of these evaluations, sampled and scaled",
        sum.sampled_ns * query::match::kSampledEvents);
}

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
  set_rule_metrics(services);
  return {.content_type = "text/plain; version=0.0.4; charset=utf-8", .body = metrics.expose()};
}

Response get_openapi(Services& services, const Request&) {
  const auto text = base::read_file(services.facts.openapi_path, kOpenapiBytesMax);
  if (!text) return error_response({Errc::not_found, "the API description is not installed"});
  return {.content_type = "application/yaml", .body = *text};
}

}  // namespace redoubt::central
