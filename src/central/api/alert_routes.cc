#include <nlohmann/json.hpp>

#include "central/api/handlers.h"
#include "central/api/json_response.h"
#include "central/api/parameters.h"
#include "central/hunts/process_tree.h"

namespace redoubt::central {

namespace {

using nlohmann::ordered_json;

constexpr size_t kPageDefault = 100;
constexpr int64_t kTokenStreamLifeUs = 15 * base::kMinuteUs;
constexpr size_t kCommentBytesMax = 10'000;

// "a,b" as values that `named` knows; an unknown one is an error that names the key.
template <class Value, class Named>
Result<std::vector<Value>> named_list(const Request& request, std::string_view key, Named named) {
  std::vector<Value> values;
  std::string_view rest = request.query_value(key);
  while (!rest.empty()) {
    const size_t comma = std::min(rest.find(','), rest.size());
    const auto value = named(rest.substr(0, comma));
    if (!value) {
      return fail(Errc::invalid_argument,
                  "'" + std::string(key) + "': '" + std::string(rest.substr(0, comma)) + "' is not one of its values");
    }
    values.push_back(*value);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return values;
}

Result<AlertPage> page_of_alerts(Services& services, const Request& request) {
  TRY_STATUS(only_query_keys(request, {"status", "importance", "host_id", "limit", "cursor"}));
  AlertFilter filter{.host_id = std::string(request.query_value("host_id"))};
  TRY(filter.statuses, named_list<AlertStatus>(request, "status", alert_status_named));
  TRY(filter.importances, named_list<rules::Importance>(request, "importance", importance_named));
  TRY(const int64_t limit, query_integer(request, "limit", {kPageDefault, 1, kAlertPageMax}));
  return services.alerts.list(filter, static_cast<size_t>(limit), std::string(request.query_value("cursor")));
}

Result<AlertChange> parse_change(Services& services, const Request& request) {
  TRY(const JsonBody body, JsonBody::parse(request.body, {"status", "assignee", "comment"}));
  AlertChange change;
  TRY(const auto status, body.optional_text("status", {}));
  if (status) {
    change.status = alert_status_named(*status);
    if (!change.status) return fail(Errc::invalid_argument, "'status': one of new, in_progress, closed");
  }
  TRY(change.assignee, body.optional_text("assignee", {.bytes_max = kNameBytesMax}));
  if (change.assignee && !change.assignee->empty() && !services.accounts.find(*change.assignee)) {
    return fail(Errc::invalid_argument, "'assignee': there is no account '" + *change.assignee + "'");
  }
  TRY(change.comment, body.optional_text("comment", {.bytes_min = 1, .bytes_max = kCommentBytesMax}));
  if (!change.status && !change.assignee && !change.comment) {
    return fail(Errc::invalid_argument, "body: none of status, assignee, comment");
  }
  return change;
}

Result<Alert> apply_change(Services& services, const Request& request) {
  TRY(const AlertChange change, parse_change(services, request));
  return services.alerts.change(request.path_parameters[0], change, request.actor.user);
}

Response alert_response(const Result<Alert>& alert) {
  return alert ? Response{.body = alert_json(*alert)} : error_response(alert.error());
}

ordered_json image_json(const ProcessImage& image) {
  ordered_json json = ordered_json::object();
  if (image.time.us != 0) json["time"] = base::format_time(image.time);
  json["executable"] = image.executable;
  json["command_line"] = image.command_line;
  if (!image.sha256.empty()) json["sha256"] = image.sha256;
  if (!image.working_directory.empty()) json["working_directory"] = image.working_directory;
  return json;
}

ordered_json node_json(const ProcessNode& node) {
  ordered_json json = {{"entity_id", node.entity_id}, {"parent_entity_id", node.parent_entity_id}, {"pid", node.pid},
                       {"name", node.name},           {"images", ordered_json::array()},           {"user", node.user}};
  for (const ProcessImage& image : node.images) json["images"].push_back(image_json(image));
  if (node.user_id) json["user_id"] = *node.user_id;
  if (node.start.us != 0) json["start"] = base::format_time(node.start);
  if (node.end.us != 0) json["end"] = base::format_time(node.end);
  if (node.exit_code) json["exit_code"] = *node.exit_code;
  json["children_more"] = node.children_more;
  return json;
}

Response tree_response(Services& services, TreeRequest wanted, const Request& request) {
  const auto depth = query_integer(request, "depth", {kTreeDepthDefault, 1, kTreeDepthMax});
  if (!depth) return error_response(depth.error());
  wanted.depth = static_cast<uint32_t>(*depth);
  const auto tree = build_process_tree(services.events, wanted);
  if (!tree) return error_response(tree.error());
  ordered_json json = {{"focus", tree->focus}, {"nodes", ordered_json::array()}, {"truncated", tree->truncated}};
  for (const ProcessNode& node : tree->nodes) json["nodes"].push_back(node_json(node));
  return json_response(json);
}

// A subscription to the feed as server-sent events; it ends with the session that opened it. One that came with an API
// token ends after a while, and the token is looked at again when its owner comes back.
class AlertEvents final : public EventStream {
 public:
  AlertEvents(std::shared_ptr<AlertFeed::Subscription> subscription, std::function<bool()> admitted)
      : subscription_(std::move(subscription)), admitted_(std::move(admitted)) {}

  std::optional<std::string> next() override {
    auto alert = subscription_->next();
    if (!alert) return std::nullopt;
    return "event: alert\ndata: " + *alert + "\n\n";
  }
  bool live() override { return subscription_->live() && admitted_(); }
  void wake_with(std::function<void()> wake) override { subscription_->wake_with(std::move(wake)); }

 private:
  std::shared_ptr<AlertFeed::Subscription> subscription_;
  std::function<bool()> admitted_;
};

}  // namespace

Response list_alerts(Services& services, const Request& request) {
  const auto page = page_of_alerts(services, request);
  if (!page) return error_response(page.error());
  // The alerts are JSON text already.
  std::string body = "{\"alerts\":[";
  for (size_t i = 0; i < page->alerts.size(); ++i) body += (i == 0 ? "" : ",") + alert_json(page->alerts[i]);
  body += "],\"total\":" + std::to_string(page->total);
  if (!page->next_cursor.empty()) body += ",\"next_cursor\":\"" + page->next_cursor + "\"";
  return {.body = body + "}"};
}

Response stream_alerts(Services& services, const Request& request) {
  auto subscription = services.feed.subscribe();
  if (!subscription) return error_response({Errc::exhausted, "too many live streams are open"});
  const base::Time end{base::Time::now().us + kTokenStreamLifeUs};
  std::function<bool()> admitted = [end] { return base::Time::now().us < end.us; };
  if (!request.session_id.empty()) {
    admitted = [&sessions = services.sessions, id = request.session_id] {
      return sessions.live(id, base::Time::now());
    };
  }
  return {.content_type = "text/event-stream",
          .stream = std::make_shared<AlertEvents>(std::move(subscription), std::move(admitted))};
}

Response get_alert(Services& services, const Request& request) {
  return alert_response(services.alerts.get(request.path_parameters[0]));
}

Response change_alert(Services& services, const Request& request) {
  return alert_response(apply_change(services, request));
}

Response get_alert_tree(Services& services, const Request& request) {
  const auto alert = services.alerts.get(request.path_parameters[0]);
  if (!alert) return error_response(alert.error());
  const std::string entity = acting_entity(*alert);
  if (entity.empty()) {
    return error_response({Errc::not_found, "alert '" + request.path_parameters[0] + "' is not about a process"});
  }
  return tree_response(services, {.entity_id = entity, .host_id = alert->host_id}, request);
}

Response get_process_tree(Services& services, const Request& request) {
  constexpr size_t kEntityIdLength = 32;
  const std::string& id = request.path_parameters[0];
  if (id.size() != kEntityIdLength || id.find_first_not_of("0123456789abcdef") != std::string::npos) {
    return error_response({Errc::invalid_argument, "'entity_id': not 32 lower-case hexadecimal digits"});
  }
  const Status known = only_query_keys(request, {"host_id", "depth"});
  if (!known) return error_response(known.error());
  return tree_response(services, {.entity_id = id, .host_id = std::string(request.query_value("host_id"))}, request);
}

}  // namespace redoubt::central
