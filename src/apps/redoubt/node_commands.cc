// redoubt status, token create, attack import.
#include <nlohmann/json.hpp>

#include "apps/redoubt/api_client.h"
#include "apps/redoubt/commands.h"
#include "apps/redoubt/output.h"

namespace redoubt::cli {

namespace {

using nlohmann::json;

constexpr int kHealthSeconds = 10;
constexpr int kImportSeconds = 300;

}  // namespace

Exit run_status(const Arguments& arguments) {
  const auto profile = load_profile(find_profile(arguments.home));
  if (!profile) return print_error(profile.error());
  const auto body = call_api(*profile, {.target = "/health", .timeout_s = kHealthSeconds});
  if (!body) return print_error(body.error());
  const json health = json::parse(*body);
  const Exit exit = health.value("status", "") == "ok" ? Exit::ok : Exit::failed;
  if (arguments.format == Format::json) {
    print_line(health.dump());
    return exit;
  }
  print_line(printable(profile->url + "  redoubtd " + health.value("version", "") + "  " + health.value("status", "")));
  Table table({"PART", "STATE", "DETAIL"});
  for (const json& part : health.at("components")) {
    table.add({part.value("name", ""), part.value("status", ""), part.value("detail", "")});
  }
  table.print();
  return exit;
}

Exit run_token_create(const Arguments& arguments) {
  const auto profile = load_profile(find_profile(arguments.home));
  if (!profile) return print_error(profile.error());
  const json request = {{"name", arguments.name}};
  const auto body = call_api(
      *profile,
      {.method = "POST", .target = "/tokens", .body = request.dump(-1, ' ', false, json::error_handler_t::replace)});
  if (!body) return print_error(body.error());
  const json answer = json::parse(*body);
  print_line(arguments.format == Format::json ? answer.dump() : answer.at("token").get<std::string>());
  if (arguments.format == Format::text) print_note("shown this once; keep it in a file of mode 0600");
  return Exit::ok;
}

Exit run_attack_import(const Arguments& arguments) {
  const auto profile = load_profile(find_profile(arguments.home));
  if (!profile) return print_error(profile.error());
  const auto body = call_api(*profile, {.method = "POST",
                                        .target = "/attack",
                                        .file = arguments.files.at(0),
                                        .headers = {{"Content-Type", "application/json"}},
                                        .timeout_s = kImportSeconds});
  if (!body) return print_error(body.error());
  const json names = json::parse(*body);
  if (arguments.format == Format::json) {
    print_line(json({{"version", names.value("version", "")}, {"techniques", names.at("techniques").size()}}).dump());
    return Exit::ok;
  }
  print_line(printable("ATT&CK " + names.value("version", "") + ": " + std::to_string(names.at("techniques").size()) +
                       " techniques in " + std::to_string(names.at("tactics").size()) + " tactics"));
  return Exit::ok;
}

}  // namespace redoubt::cli
