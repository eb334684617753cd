// redoubt reputation check|list|add|remove|import|forget.
#include <nlohmann/json.hpp>

#include "apps/redoubt/api_client.h"
#include "apps/redoubt/commands.h"
#include "apps/redoubt/output.h"

namespace redoubt::cli {

namespace {

using nlohmann::json;

constexpr int kFeedSeconds = 600;

void print_entries(const json& entries) {
  Table table({"ID", "REPUTATION", "KIND", "VALUE", "SOURCE", "NOTE", "ADDED"});
  for (const json& each : entries) {
    table.add({each.value("id", ""), each.value("reputation", ""), each.value("kind", ""), each.value("value", ""),
               each.value("source", ""), each.value("note", ""), short_time(each.value("added", ""))});
  }
  table.print();
}

// Asks the node and prints its answer as JSON, or hands it to `print`.
template <class Print>
Exit ask_reputation(const Arguments& arguments, Call call, Print print) {
  const auto profile = load_profile(find_profile(arguments.home));
  if (!profile) return print_error(profile.error());
  const auto body = call_api(*profile, std::move(call));
  if (!body) return print_error(body.error());
  const json answer = body->empty() ? json::object() : json::parse(*body);
  if (arguments.format == Format::json) {
    print_line(answer.dump());
  } else {
    print(answer);
  }
  return Exit::ok;
}

}  // namespace

Exit run_reputation_check(const Arguments& arguments) {
  return ask_reputation(arguments, {.target = "/reputation?value=" + percent_encode(arguments.id)},
                        [](const json& answer) {
                          print_line(printable(answer.value("value", "") + ": " + answer.value("reputation", "")));
                          if (!answer.at("entries").empty()) print_entries(answer.at("entries"));
                        });
}

Exit run_reputation_list(const Arguments& arguments) {
  if (arguments.name.empty()) {
    return ask_reputation(arguments, {.target = "/reputation/sources"}, [](const json& answer) {
      Table table({"SOURCE", "ENTRIES", "LATEST"});
      for (const json& each : answer.at("sources")) {
        table.add({each.value("name", ""), std::to_string(each.value("entries", int64_t{0})),
                   short_time(each.value("latest", ""))});
      }
      table.print();
    });
  }
  return ask_reputation(arguments,
                        {.target = "/reputation/entries?source=" + percent_encode(arguments.name) +
                                   "&limit=" + std::to_string(arguments.limit)},
                        [](const json& answer) { print_entries(answer.at("entries")); });
}

Exit run_reputation_add(const Arguments& arguments) {
  const json request = {{"value", arguments.id}, {"reputation", arguments.status}, {"note", arguments.comment}};
  return ask_reputation(arguments,
                        {.method = "POST",
                         .target = "/reputation/entries",
                         .body = request.dump(-1, ' ', false, json::error_handler_t::replace)},
                        [](const json& answer) { print_entries(json::array({answer})); });
}

Exit run_reputation_remove(const Arguments& arguments) {
  return ask_reputation(arguments,
                        {.method = "DELETE", .target = "/reputation/entries/" + percent_encode(arguments.id)},
                        [](const json&) { print_line("removed"); });
}

Exit run_reputation_import(const Arguments& arguments) {
  return ask_reputation(
      arguments,
      {.method = "POST",
       .target = "/reputation/sources/" + percent_encode(arguments.name) + "?reputation=" + arguments.status,
       .file = arguments.files.at(0),
       .timeout_s = kFeedSeconds},
      [](const json& answer) {
        print_line(printable(answer.value("source", "") + " (" + answer.value("format", "") +
                             "): " + std::to_string(answer.value("added", uint64_t{0})) + " entries, " +
                             std::to_string(answer.value("removed", uint64_t{0})) + " gone, " +
                             std::to_string(answer.value("skipped", uint64_t{0})) + " left out"));
        for (const json& reason : answer.at("reasons")) {
          print_note(printable(reason.get<std::string>()));
        }
      });
}

Exit run_reputation_forget(const Arguments& arguments) {
  return ask_reputation(arguments,
                        {.method = "DELETE", .target = "/reputation/sources/" + percent_encode(arguments.name)},
                        [](const json& answer) {
                          print_line(std::to_string(answer.value("removed", uint64_t{0})) + " entries removed");
                        });
}

}  // namespace redoubt::cli
