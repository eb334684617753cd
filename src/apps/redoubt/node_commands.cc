// redoubt status, rule list, token create.
#include <nlohmann/json.hpp>

#include "apps/redoubt/api_client.h"
#include "apps/redoubt/commands.h"
#include "apps/redoubt/output.h"

namespace redoubt::cli {

namespace {

using nlohmann::json;

constexpr int kHealthSeconds = 10;

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

Exit run_rule_list(const Arguments& arguments) {
  const auto profile = load_profile(find_profile(arguments.home));
  if (!profile) return print_error(profile.error());
  const auto body = call_api(*profile, {.target = "/rules"});
  if (!body) return print_error(body.error());
  const json answer = json::parse(*body);
  if (arguments.format == Format::json) {
    print_line(answer.dump());
    return Exit::ok;
  }
  Table table({"IMPORTANCE", "HITS", "FORMAT", "TECHNIQUES", "TITLE", "PATH"});
  for (const json& rule : answer.at("rules")) {
    std::string techniques;
    for (const json& one : rule.value("techniques", json::array()))
      techniques += (techniques.empty() ? "" : " ") + one.get<std::string>();
    table.add({rule.value("importance", ""), std::to_string(rule.value("hits", int64_t{0})), rule.value("format", ""),
               techniques, rule.value("title", ""), rule.value("path", "")});
  }
  table.print();
  for (const json& refusal : answer.value("refusals", json::array())) {
    print_note(printable("refused " + refusal.value("path", "") + ": " +
                         refusal.value("diagnostic", json::object()).value("message", "")));
  }
  return Exit::ok;
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

}  // namespace redoubt::cli
