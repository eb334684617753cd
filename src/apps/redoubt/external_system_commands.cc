// redoubt external-systems list|approve|reject|remove.
#include <nlohmann/json.hpp>

#include "apps/redoubt/api_client.h"
#include "apps/redoubt/commands.h"
#include "apps/redoubt/output.h"

namespace redoubt::cli {

namespace {

using nlohmann::json;

std::string system_path(const Arguments& arguments) { return "/external-systems/" + percent_encode(arguments.id); }

// `verb`: of the path.
Exit decide_system(const Arguments& arguments, const std::string& verb) {
  const auto profile = load_profile(find_profile(arguments.home));
  if (!profile) return print_error(profile.error());
  json request = json::object();
  if (!arguments.name.empty()) request["name"] = arguments.name;
  const auto body = call_api(*profile, {.method = "POST",
                                        .target = system_path(arguments) + "/" + verb,
                                        .body = request.dump(-1, ' ', false, json::error_handler_t::replace)});
  if (!body) return print_error(body.error());
  if (arguments.format == Format::json) {
    print_line(*body);
    return Exit::ok;
  }
  const json system = json::parse(*body);
  print_line(printable("system " + system.value("system_id", "") + " with certificate " +
                       system.value("fingerprint", "") + " is " + system.value("state", "")));
  return Exit::ok;
}

}  // namespace

Exit run_external_systems_list(const Arguments& arguments) {
  const auto profile = load_profile(find_profile(arguments.home));
  if (!profile) return print_error(profile.error());
  const auto body = call_api(*profile, {.target = "/external-systems"});
  if (!body) return print_error(body.error());
  const json answer = json::parse(*body);
  if (arguments.format == Format::json) {
    print_line(answer.dump());
    return Exit::ok;
  }
  Table table(
      {"ID", "STATE", "SYSTEM", "NAME", "ADDRESS", "FIRST SEEN", "LAST SEEN", "DECIDED BY", "CERTIFICATE (SHA-256)"});
  for (const json& system : answer.at("external_systems")) {
    table.add({system.value("id", ""), system.value("state", ""), system.value("system_id", ""),
               system.value("name", ""), system.value("address", ""), short_time(system.value("first_seen", "")),
               short_time(system.value("last_seen", "")), system.value("decided_by", ""),
               system.value("fingerprint", "")});
  }
  table.print();
  return Exit::ok;
}

Exit run_external_systems_approve(const Arguments& arguments) { return decide_system(arguments, "approve"); }

Exit run_external_systems_reject(const Arguments& arguments) { return decide_system(arguments, "reject"); }

Exit run_external_systems_remove(const Arguments& arguments) {
  const auto profile = load_profile(find_profile(arguments.home));
  if (!profile) return print_error(profile.error());
  const auto done = call_api(*profile, {.method = "DELETE", .target = system_path(arguments)});
  if (!done) return print_error(done.error());
  if (arguments.format == Format::text) print_line(printable("external system " + arguments.id + " is forgotten"));
  return Exit::ok;
}

}  // namespace redoubt::cli
