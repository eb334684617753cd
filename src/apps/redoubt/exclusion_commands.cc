// redoubt rule exclude|exclusions|include.
#include <nlohmann/json.hpp>

#include "apps/redoubt/api_client.h"
#include "apps/redoubt/commands.h"
#include "apps/redoubt/output.h"

namespace redoubt::cli {

namespace {

using nlohmann::json;

constexpr size_t kNameBytesMax = 200;

}  // namespace

Exit run_rule_exclude(const Arguments& arguments) {
  const auto profile = load_profile(find_profile(arguments.home));
  if (!profile) return print_error(profile.error());
  const std::string& name = arguments.name.empty() ? arguments.query : arguments.name;
  json request = {{"name", name.substr(0, kNameBytesMax)}, {"condition", arguments.query}, {"note", arguments.comment}};
  if (arguments.id != "all") request["rule_id"] = arguments.id;
  if (!arguments.expires.empty()) request["expires"] = arguments.expires;
  const auto body = call_api(*profile, {.method = "POST",
                                        .target = "/exclusions",
                                        .body = request.dump(-1, ' ', false, json::error_handler_t::replace)});
  if (!body) return print_error(body.error());
  const json exclusion = json::parse(*body);
  if (arguments.format == Format::json) {
    print_line(exclusion.dump());
  } else {
    print_line(printable("exclusion " + exclusion.value("id", "") + " of " +
                         exclusion.value("rule_title", "all rules") + " is in force"));
  }
  return Exit::ok;
}

Exit run_rule_exclusions(const Arguments& arguments) {
  const auto profile = load_profile(find_profile(arguments.home));
  if (!profile) return print_error(profile.error());
  const std::string chosen = arguments.id.empty() ? "" : "?rule_id=" + percent_encode(arguments.id);
  const auto body = call_api(*profile, {.target = "/exclusions" + chosen});
  if (!body) return print_error(body.error());
  const json answer = json::parse(*body);
  if (arguments.format == Format::json) {
    print_line(answer.dump());
    return Exit::ok;
  }
  Table table({"ID", "STATE", "RULE", "NAME", "CONDITION", "EXPIRES", "AUTHOR"});
  for (const json& each : answer.at("exclusions")) {
    table.add({each.value("id", ""), each.value("state", ""),
               each.value("rule_title", each.value("rule_id", "all rules")), each.value("name", ""),
               each.value("condition", ""), short_time(each.value("expires", "")), each.value("author", "")});
    if (each.contains("problem")) {
      print_note(printable("exclusion " + each.value("id", "") + ": " + each.value("problem", "")));
    }
  }
  table.print();
  return Exit::ok;
}

Exit run_rule_include(const Arguments& arguments) {
  const auto profile = load_profile(find_profile(arguments.home));
  if (!profile) return print_error(profile.error());
  const auto done = call_api(*profile, {.method = "DELETE", .target = "/exclusions/" + percent_encode(arguments.id)});
  if (!done) return print_error(done.error());
  if (arguments.format == Format::text) print_line(printable("exclusion " + arguments.id + " is removed"));
  return Exit::ok;
}

}  // namespace redoubt::cli
