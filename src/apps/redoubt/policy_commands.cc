// redoubt policy show|exclude|include.
#include <nlohmann/json.hpp>

#include "apps/redoubt/api_client.h"
#include "apps/redoubt/commands.h"
#include "apps/redoubt/output.h"

namespace redoubt::cli {

namespace {

using nlohmann::json;

}  // namespace

Exit run_policy_show(const Arguments& arguments) {
  const auto profile = load_profile(find_profile(arguments.home));
  if (!profile) return print_error(profile.error());
  const auto body = call_api(*profile, {.target = "/policy"});
  if (!body) return print_error(body.error());
  const json policy = json::parse(*body);
  if (arguments.format == Format::json) {
    print_line(policy.dump());
    return Exit::ok;
  }
  Table table({"ID", "KIND", "VALUE", "NOTE", "AUTHOR", "CREATED"});
  for (const json& each : policy.at("exclusions")) {
    table.add({each.value("id", ""), each.value("kind", ""), each.value("value", ""), each.value("note", ""),
               each.value("author", ""), short_time(each.value("created", ""))});
  }
  table.print();
  if (const size_t reads = policy.at("read_paths").size(); reads > 0) {
    print_note("reads are told of " + std::to_string(reads) +
               " path patterns that rules ask about (--json names them)");
  }
  print_note("version " + std::to_string(policy.value("version", uint64_t{0})) +
             "; `redoubt host list` shows who has it");
  return Exit::ok;
}

Exit run_policy_exclude(const Arguments& arguments) {
  const auto profile = load_profile(find_profile(arguments.home));
  if (!profile) return print_error(profile.error());
  const json request = {{"kind", arguments.name}, {"value", arguments.id}, {"note", arguments.comment}};
  const auto body = call_api(*profile, {.method = "POST",
                                        .target = "/policy/exclusions",
                                        .body = request.dump(-1, ' ', false, json::error_handler_t::replace)});
  if (!body) return print_error(body.error());
  const json exclusion = json::parse(*body);
  if (arguments.format == Format::json) {
    print_line(exclusion.dump());
  } else {
    print_line(printable("exclusion " + exclusion.value("id", "") + ": hosts leave out " + exclusion.value("kind", "") +
                         " " + exclusion.value("value", "")));
  }
  return Exit::ok;
}

Exit run_policy_include(const Arguments& arguments) {
  const auto profile = load_profile(find_profile(arguments.home));
  if (!profile) return print_error(profile.error());
  const auto done =
      call_api(*profile, {.method = "DELETE", .target = "/policy/exclusions/" + percent_encode(arguments.id)});
  if (!done) return print_error(done.error());
  if (arguments.format == Format::text) print_line(printable("exclusion " + arguments.id + " is removed"));
  return Exit::ok;
}

}  // namespace redoubt::cli
