// redoubt alert list|show|close.
#include <nlohmann/json.hpp>

#include "apps/redoubt/api_client.h"
#include "apps/redoubt/commands.h"
#include "apps/redoubt/output.h"

namespace redoubt::cli {

namespace {

using nlohmann::json;

constexpr int kPageMax = 500;

// The API's pages until `limit` alerts are there.
Result<json> fetch_alerts(const Profile& profile, const Arguments& arguments) {
  json all = json::array();
  std::string cursor;
  while (true) {
    const int left = arguments.limit - static_cast<int>(all.size());
    std::string target = "/alerts?limit=" + std::to_string(std::min(left, kPageMax));
    if (!arguments.status.empty()) target += "&status=" + percent_encode(arguments.status);
    if (!arguments.importance.empty()) target += "&importance=" + percent_encode(arguments.importance);
    if (!cursor.empty()) target += "&cursor=" + percent_encode(cursor);
    TRY(const std::string body, call_api(profile, {.target = target}));
    const json page = json::parse(body);
    for (const json& alert : page.at("alerts")) all.push_back(alert);
    cursor = page.value("next_cursor", "");
    if (cursor.empty() || static_cast<int>(all.size()) >= arguments.limit) return all;
  }
}

std::string joined(const json& texts) {
  std::string all;
  for (const json& text : texts) all += (all.empty() ? "" : ", ") + text.get<std::string>();
  return all;
}

void print_alert(const json& alert) {
  const json& rule = alert.at("rule");
  print_line(printable("Alert " + alert.value("id", "") + ": " + alert.value("title", "")));
  print_field("importance", alert.value("importance", ""));
  print_field("status", alert.value("status", ""));
  print_field("assignee", alert.value("assignee", ""));
  print_field("rule", rule.value("title", "") + " (" + rule.value("format", "") + " " + rule.value("id", "") + ")");
  print_field("meaning", rule.value("description", ""));
  print_field("techniques", joined(alert.value("techniques", json::array())));
  print_field("tactics", joined(alert.value("tactics", json::array())));
  print_field("host", alert.at("host").value("name", ""));
  print_field("user", alert.value("user", ""));
  print_field("detections", std::to_string(alert.value("detections", 0)));
  print_field("first event", alert.value("first_event", ""));
  print_field("last event", alert.value("last_event", ""));
  if (const json counted = alert.value("correlation", json::object()); !counted.empty()) {
    print_field("counted", std::to_string(counted.value("count", 0)) + " events within " +
                               std::to_string(counted.value("timespan_s", 0)) + " s");
    for (const auto& [field, value] : counted.value("group", json::object()).items()) {
      print_field("group", field + " = " + (value.is_string() ? value.get<std::string>() : ""));
    }
  }
  const json process = alert.value("process", json::object());
  print_field("program", process.value("executable", ""));
  print_field("command line", process.value("command_line", ""));
  const json object = alert.value("object", json::object());
  print_field("object", object.value("name", ""));
  print_field("SHA-256", object.value("sha256", ""));
  for (const json& comment : alert.value("comments", json::array())) {
    print_field("comment", short_time(comment.value("time", "")) + " " + comment.value("user", "") + ": " +
                               comment.value("text", ""));
  }
}

}  // namespace

Exit run_alert_list(const Arguments& arguments) {
  const auto profile = load_profile(find_profile(arguments.home));
  if (!profile) return print_error(profile.error());
  const auto alerts = fetch_alerts(*profile, arguments);
  if (!alerts) return print_error(alerts.error());
  if (arguments.format == Format::json) {
    print_line(json{{"alerts", *alerts}}.dump());
    return Exit::ok;
  }
  if (alerts->empty()) {
    print_note("no alerts");
    return Exit::ok;
  }
  Table table({"ID", "IMPORTANCE", "STATUS", "LAST EVENT", "HOST", "USER", "TECHNIQUES", "TITLE"});
  for (const json& alert : *alerts) {
    table.add({alert.value("id", ""), alert.value("importance", ""), alert.value("status", ""),
               short_time(alert.value("last_event", "")), alert.at("host").value("name", ""), alert.value("user", ""),
               joined(alert.value("techniques", json::array())), alert.value("title", "")});
  }
  table.print();
  return Exit::ok;
}

Exit run_alert_show(const Arguments& arguments) {
  const auto profile = load_profile(find_profile(arguments.home));
  if (!profile) return print_error(profile.error());
  const auto body = call_api(*profile, {.target = "/alerts/" + percent_encode(arguments.id)});
  if (!body) return print_error(body.error());
  const json alert = json::parse(*body);
  if (arguments.format == Format::json) {
    print_line(alert.dump());
  } else {
    print_alert(alert);
  }
  return Exit::ok;
}

Exit run_alert_close(const Arguments& arguments) {
  const auto profile = load_profile(find_profile(arguments.home));
  if (!profile) return print_error(profile.error());
  json change = {{"status", "closed"}};
  if (!arguments.comment.empty()) change["comment"] = arguments.comment;
  const auto body = call_api(*profile, {.method = "PATCH",
                                        .target = "/alerts/" + percent_encode(arguments.id),
                                        .body = change.dump(-1, ' ', false, json::error_handler_t::replace)});
  if (!body) return print_error(body.error());
  print_line(arguments.format == Format::json ? *body : "alert " + printable(arguments.id) + " is closed");
  return Exit::ok;
}

}  // namespace redoubt::cli
