// An alert as the node keeps it. Values.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "central/alerts/alert_sink.h"

namespace redoubt::central {

enum class AlertStatus : uint8_t { fresh, in_progress, closed };

std::string_view name_of(AlertStatus status);  // "new", "in_progress", "closed"
std::optional<AlertStatus> alert_status_named(std::string_view name);
std::optional<rules::Importance> importance_named(std::string_view name);

struct AlertComment {
  base::Time time;
  std::string user;
  std::string text;
};

struct Alert {
  int64_t id = 0;
  base::Time created, updated;
  std::string title;
  AlertStatus status = AlertStatus::fresh;
  std::string assignee;
  AlertSource source = AlertSource::rule;
  rules::Importance importance = rules::Importance::medium;
  std::string rule_id;
  std::string host_id, host_name, user;
  std::string subject;  // entity id of the acting process, SHA-256 of the object, or the correlation's group
  int64_t detections = 0;
  base::Time first_event, last_event;
  // As they were with the first detection: JSON texts in the shape of the API.
  std::string rule, techniques, tactics, process, object, event, correlation;
  std::vector<AlertComment> comments;
};

struct AlertFilter {
  std::vector<AlertStatus> statuses;           // none: any
  std::vector<rules::Importance> importances;  // none: any
  std::string host_id;                         // empty: any
};

constexpr size_t kAlertPageMax = 500;

struct AlertPage {
  std::vector<Alert> alerts;  // most important first, then latest change first
  int64_t total = 0;          // on all pages
  std::string next_cursor;    // empty: that was the end
};

struct AlertChange {
  std::optional<AlertStatus> status;
  std::optional<std::string> assignee;
  std::optional<std::string> comment;
};

// The JSON texts of a detection's parts, and the whole Alert of the API.
std::string rule_json(const AlertRule& rule);
std::string names_json(const std::vector<std::string>& names);
std::string process_json(const ActingProcess& process);
std::string object_json(const AlertObject& object);
std::string correlation_json(const CorrelatedEvents& correlated);
std::string alert_json(const Alert& alert);

// The entity id of the process that the alert is about; "" where it is about none.
std::string acting_entity(const Alert& alert);

}  // namespace redoubt::central
