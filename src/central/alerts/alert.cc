#include "central/alerts/alert.h"

#include <nlohmann/json.hpp>

namespace redoubt::central {

namespace {

using AlertJson = nlohmann::ordered_json;

constexpr std::array<std::string_view, 3> kStatusNames = {"new", "in_progress", "closed"};

// Texts from hosts are valid UTF-8 by the event decoder; names from senders of objects may not be.
std::string dumped(const AlertJson& json) { return json.dump(-1, ' ', false, AlertJson::error_handler_t::replace); }

AlertJson parsed(const std::string& text) { return AlertJson::parse(text, nullptr, false); }

bool is_of_object(const Alert& alert) {
  return alert.source == AlertSource::object || alert.source == AlertSource::rescan;
}

}  // namespace

std::string_view name_of(AlertSource source) {
  switch (source) {
    case AlertSource::rule: return "rule";
    case AlertSource::object: return "object";
    case AlertSource::correlation: return "correlation";
    case AlertSource::hunt: return "hunt";
    case AlertSource::fleet: return "fleet";
    case AlertSource::rescan: return "rescan";
  }
  return "";
}

std::string_view name_of(AlertStatus status) { return kStatusNames[static_cast<size_t>(status)]; }

std::optional<AlertStatus> alert_status_named(std::string_view name) {
  for (size_t i = 0; i < kStatusNames.size(); ++i) {
    if (kStatusNames[i] == name) return static_cast<AlertStatus>(i);
  }
  return std::nullopt;
}

std::optional<rules::Importance> importance_named(std::string_view name) {
  using enum rules::Importance;
  for (const rules::Importance importance : {informational, low, medium, high, critical}) {
    if (rules::name_of(importance) == name) return importance;
  }
  return std::nullopt;
}

std::string rule_json(const AlertRule& rule) {
  return dumped({{"id", rule.id},
                 {"title", rule.title},
                 {"description", rule.description},
                 {"format", rule.format},
                 {"author", rule.author},
                 {"references", rule.references},
                 {"false_positives", rule.false_positives}});
}

std::string names_json(const std::vector<std::string>& names) { return dumped(AlertJson(names)); }

std::string process_json(const ActingProcess& process) {
  return dumped(
      {{"entity_id", process.entity_id}, {"executable", process.executable}, {"command_line", process.command_line}});
}

std::string object_json(const AlertObject& object) {
  return dumped({{"id", object.id}, {"name", object.name}, {"sha256", object.sha256}});
}

std::string correlation_json(const CorrelatedEvents& correlated) {
  AlertJson json = {{"type", correlated.type},         {"timespan_s", correlated.timespan_us / base::kSecondUs},
                    {"group", AlertJson::object()},    {"count", correlated.count},
                    {"measured", correlated.measured}, {"events", AlertJson::array()}};
  for (const auto& [field, value] : correlated.group) json["group"][field] = value;
  for (const EventReference& each : correlated.events) {
    json["events"].push_back({{"host_id", each.host_id}, {"boot_id", each.boot_id}, {"sequence", each.sequence}});
  }
  return dumped(json);
}

std::string acting_entity(const Alert& alert) {
  if (is_of_object(alert)) return "";
  const AlertJson process = parsed(alert.process);
  const auto found = process.find("entity_id");
  return found != process.end() && found->is_string() ? found->get<std::string>() : "";
}

std::string alert_json(const Alert& alert) {
  AlertJson json = {{"id", std::to_string(alert.id)},
                    {"created", base::format_time(alert.created)},
                    {"updated", base::format_time(alert.updated)},
                    {"title", alert.title},
                    {"message", alert.message},
                    {"importance", rules::name_of(alert.importance)},
                    {"status", name_of(alert.status)},
                    {"assignee", alert.assignee},
                    {"source", name_of(alert.source)},
                    {"rule", parsed(alert.rule)},
                    {"techniques", parsed(alert.techniques)},
                    {"tactics", parsed(alert.tactics)},
                    {"host", {{"id", alert.host_id}, {"name", alert.host_name}}},
                    {"user", alert.user},
                    {"detections", alert.detections},
                    {"first_event", base::format_time(alert.first_event)},
                    {"last_event", base::format_time(alert.last_event)}};
  const bool acted = !is_of_object(alert) && alert.source != AlertSource::correlation;
  if (acted || !acting_entity(alert).empty()) json["process"] = parsed(alert.process);
  if (alert.source == AlertSource::correlation) json["correlation"] = parsed(alert.correlation);
  if (is_of_object(alert)) json["object"] = parsed(alert.object);
  json["event"] = parsed(alert.event);
  json["comments"] = AlertJson::array();
  for (const AlertComment& comment : alert.comments) {
    json["comments"].push_back(
        {{"time", base::format_time(comment.time)}, {"user", comment.user}, {"text", comment.text}});
  }
  return dumped(json);
}

}  // namespace redoubt::central
