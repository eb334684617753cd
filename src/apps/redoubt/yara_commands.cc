// redoubt yara list|enable|disable|set.
#include <nlohmann/json.hpp>

#include "apps/redoubt/api_client.h"
#include "apps/redoubt/commands.h"
#include "apps/redoubt/output.h"

namespace redoubt::cli {

namespace {

using nlohmann::json;

Exit change_yara(const Arguments& arguments, const json& change) {
  const auto profile = load_profile(find_profile(arguments.home));
  if (!profile) return print_error(profile.error());
  const auto body = call_api(*profile, {.method = "PATCH",
                                        .target = "/yara/rules/" + percent_encode(arguments.id),
                                        .body = change.dump(-1, ' ', false, json::error_handler_t::replace)});
  if (!body) return print_error(body.error());
  const json rule = json::parse(*body);
  if (arguments.format == Format::json) {
    print_line(rule.dump());
  } else {
    print_line(printable(rule.value("name", "") + ": " + (rule.value("enabled", true) ? "on" : "off") +
                         ", importance " + rule.value("importance", "own")));
  }
  return Exit::ok;
}

}  // namespace

Exit run_yara_list(const Arguments& arguments) {
  const auto profile = load_profile(find_profile(arguments.home));
  if (!profile) return print_error(profile.error());
  const auto body = call_api(*profile, {.target = "/yara/rules"});
  if (!body) return print_error(body.error());
  const json answer = json::parse(*body);
  if (arguments.format == Format::json) {
    print_line(answer.dump());
    return Exit::ok;
  }
  Table table({"STATE", "IMPORTANCE", "RULE", "FILE", "CHANGED BY"});
  for (const json& rule : answer.at("rules")) {
    table.add({rule.value("enabled", true) ? "on" : "off", rule.value("importance", "own"), rule.value("name", ""),
               rule.value("file", ""), rule.value("changed_by", "")});
  }
  table.print();
  for (const json& rule : answer.at("refused")) {
    print_note(printable("refused " + rule.value("file", "") + " line " +
                         std::to_string(rule.value("line", uint64_t{0})) + ": " + rule.value("message", "")));
  }
  print_note(printable("judged by " + answer.value("engines", "")));
  return Exit::ok;
}

Exit run_yara_enable(const Arguments& arguments) { return change_yara(arguments, {{"enabled", true}}); }

Exit run_yara_disable(const Arguments& arguments) { return change_yara(arguments, {{"enabled", false}}); }

Exit run_yara_set(const Arguments& arguments) { return change_yara(arguments, {{"importance", arguments.importance}}); }

}  // namespace redoubt::cli
