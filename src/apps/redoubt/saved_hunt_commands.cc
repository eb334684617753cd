// redoubt hunt save|list|delete|run: hunts that run by schedule.
#include <nlohmann/json.hpp>

#include "apps/redoubt/api_client.h"
#include "apps/redoubt/commands.h"
#include "apps/redoubt/output.h"

namespace redoubt::cli {

namespace {

using nlohmann::json;

constexpr int kRunSeconds = 120;

void print_hunt(const json& hunt) {
  print_line(printable("Hunt " + hunt.value("id", "") + ": " + hunt.value("name", "")));
  print_field("query", hunt.value("query", ""));
  print_field("importance", hunt.value("importance", ""));
  print_field("every", std::to_string(hunt.value("interval_s", int64_t{0})) + " s, over " +
                           std::to_string(hunt.value("window_s", int64_t{0})) + " s");
  print_field("last run", hunt.value("last_run", ""));
  print_field("found", std::to_string(hunt.value("last_found", int64_t{0})) + " events, " +
                           std::to_string(hunt.value("last_new", int64_t{0})) + " new, " +
                           std::to_string(hunt.value("last_beyond", int64_t{0})) + " over the limit and left out");
  print_field("next run", hunt.value("next_run", ""));
  print_field("problem", hunt.value("problem", ""));
}

Exit hunt_answer(const Arguments& arguments, const Call& call) {
  const auto profile = load_profile(find_profile(arguments.home));
  if (!profile) return print_error(profile.error());
  const auto body = call_api(*profile, call);
  if (!body) return print_error(body.error());
  const json hunt = json::parse(*body);
  if (arguments.format == Format::json) {
    print_line(hunt.dump());
  } else {
    print_hunt(hunt);
  }
  return hunt.contains("problem") ? Exit::failed : Exit::ok;
}

}  // namespace

Exit run_hunt_save(const Arguments& arguments) {
  json request = {{"name", arguments.name},
                  {"query", arguments.query},
                  {"interval", arguments.interval},
                  {"importance", arguments.importance}};
  if (!arguments.window.empty()) request["window"] = arguments.window;
  return hunt_answer(arguments, {.method = "POST",
                                 .target = "/hunts/saved",
                                 .body = request.dump(-1, ' ', false, json::error_handler_t::replace)});
}

Exit run_hunt_list(const Arguments& arguments) {
  const auto profile = load_profile(find_profile(arguments.home));
  if (!profile) return print_error(profile.error());
  const auto body = call_api(*profile, {.target = "/hunts/saved"});
  if (!body) return print_error(body.error());
  const json answer = json::parse(*body);
  if (arguments.format == Format::json) {
    print_line(answer.dump());
    return Exit::ok;
  }
  Table table({"ID", "STATE", "IMPORTANCE", "EVERY (S)", "DETECTIONS", "LAST RUN", "NEXT RUN", "NAME", "QUERY"});
  for (const json& hunt : answer.at("hunts")) {
    table.add({hunt.value("id", ""), hunt.value("enabled", true) ? "on" : "off", hunt.value("importance", ""),
               std::to_string(hunt.value("interval_s", int64_t{0})),
               std::to_string(hunt.value("detections", int64_t{0})), short_time(hunt.value("last_run", "")),
               short_time(hunt.value("next_run", "")), hunt.value("name", ""), hunt.value("query", "")});
    if (hunt.contains("problem")) {
      print_note(printable("hunt " + hunt.value("id", "") + ": " + hunt.value("problem", "")));
    }
  }
  table.print();
  return Exit::ok;
}

Exit run_hunt_delete(const Arguments& arguments) {
  const auto profile = load_profile(find_profile(arguments.home));
  if (!profile) return print_error(profile.error());
  const auto done = call_api(*profile, {.method = "DELETE", .target = "/hunts/saved/" + percent_encode(arguments.id)});
  if (!done) return print_error(done.error());
  if (arguments.format == Format::text) print_line(printable("hunt " + arguments.id + " is deleted; its alerts stay"));
  return Exit::ok;
}

Exit run_hunt_run(const Arguments& arguments) {
  return hunt_answer(
      arguments,
      {.method = "POST", .target = "/hunts/saved/" + percent_encode(arguments.id) + "/run", .timeout_s = kRunSeconds});
}

}  // namespace redoubt::cli
