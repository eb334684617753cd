// redoubt rule list|show|enable|disable|set|check|reload.
#include <cmath>
#include <nlohmann/json.hpp>

#include "apps/redoubt/api_client.h"
#include "apps/redoubt/commands.h"
#include "apps/redoubt/output.h"
#include "base/file.h"

namespace redoubt::cli {

namespace {

using nlohmann::json;

constexpr size_t kRuleBytesMax = size_t{256} << 10;
constexpr int kTenth = 10;  // of a percent
constexpr double kTenthsOfPercent = 1000.0;

std::string joined(const json& texts, std::string_view between) {
  std::string all;
  for (const json& text : texts) all += (all.empty() ? "" : std::string(between)) + text.get<std::string>();
  return all;
}

std::string share_text(const json& rule) {
  const auto tenths = std::lround(rule.value("cost_share", 0.0) * kTenthsOfPercent);
  return std::to_string(tenths / kTenth) + "." + std::to_string(tenths % kTenth) + "%";
}

// What its alerts matter, and what its file says where that is something else.
std::string importance_text(const json& rule) {
  const std::string importance = rule.value("importance", ""), own = rule.value("own_importance", "");
  return importance == own ? importance : importance + " (own: " + own + ")";
}

void print_refusals(std::string_view word, const json& refusals) {
  for (const json& refusal : refusals) {
    print_note(printable(std::string(word) + " " + refusal.value("path", "") + ": " +
                         refusal.value("diagnostic", json::object()).value("message", "")));
  }
}

void print_rules(const json& answer) {
  Table table({"STATE", "IMPORTANCE", "HITS", "LAST HIT", "COST", "FORMAT", "TECHNIQUES", "TITLE", "ID"});
  for (const json& rule : answer.at("rules")) {
    table.add({rule.value("enabled", true) ? "on" : "off", importance_text(rule),
               std::to_string(rule.value("hits", int64_t{0})), short_time(rule.value("last_hit", "")), share_text(rule),
               rule.value("format", ""), joined(rule.value("techniques", json::array()), " "), rule.value("title", ""),
               rule.value("id", "")});
  }
  table.print();
  print_refusals("refused", answer.value("refusals", json::array()));
  print_refusals("warning", answer.value("warnings", json::array()));
  const json load = answer.value("load", json::object());
  if (const std::string error = load.value("error", ""); !error.empty()) print_note(printable("reload: " + error));
}

void print_rule(const json& rule) {
  print_line(printable(rule.value("title", "")));
  print_field("state", rule.value("enabled", true) ? "on" : "off");
  print_field("importance", importance_text(rule));
  print_field("meaning", rule.value("description", ""));
  print_field("techniques", joined(rule.value("techniques", json::array()), ", "));
  print_field("tactics", joined(rule.value("tactics", json::array()), ", "));
  print_field("hits", std::to_string(rule.value("hits", int64_t{0})));
  print_field("last hit", rule.value("last_hit", ""));
  print_field("evaluated", std::to_string(rule.value("evaluated", uint64_t{0})) + " events, " + share_text(rule) +
                               " of the time of all rules");
  print_field("exclusions", std::to_string(rule.value("exclusions", 0)));
  print_field("changed", rule.contains("changed_by") ? rule.value("changed", "") + " by " + rule.value("changed_by", "")
                                                     : std::string());
  print_field("author", rule.value("author", ""));
  print_field("format", rule.value("format", ""));
  print_field("file", rule.value("path", ""));
  print_field("id", rule.value("id", ""));
  for (const json& warning : rule.value("warnings", json::array())) print_field("warning", warning.get<std::string>());
}

std::string rule_target(const Arguments& arguments) { return "/rules/" + percent_encode(arguments.id); }

// Makes the call and prints the rule that it answers with.
Exit rule_answer(const Arguments& arguments, const Call& call) {
  const auto profile = load_profile(find_profile(arguments.home));
  if (!profile) return print_error(profile.error());
  const auto body = call_api(*profile, call);
  if (!body) return print_error(body.error());
  const json rule = json::parse(*body);
  if (arguments.format == Format::json) {
    print_line(rule.dump());
  } else {
    print_rule(rule);
  }
  return Exit::ok;
}

Exit change_rule(const Arguments& arguments, const json& change) {
  return rule_answer(arguments, {.method = "PATCH", .target = rule_target(arguments), .body = change.dump()});
}

void print_checked(const std::string& file, const json& answer) {
  for (const json& rule : answer.at("rules")) {
    print_line(printable(file + ": " + answer.value("format", "") + " rule '" + rule.value("title", "") + "' (" +
                         rule.value("importance", "") + ", " + rule.value("id", "") + ")"));
    for (const json& warning : rule.value("warnings", json::array())) {
      print_note(printable(file + ": warning: " + warning.get<std::string>()));
    }
  }
  for (const json& refusal : answer.at("refusals")) {
    const json diagnostic = refusal.value("diagnostic", json::object());
    const std::string rendered = diagnostic.value("rendered", "");
    print_error(
        {Errc::invalid_argument, file + ": " + (rendered.empty() ? diagnostic.value("message", "") : rendered)});
  }
}

// Standard input has no name: its format is told from its content.
Exit check_file(const Arguments& arguments, const Profile& profile, const std::string& file) {
  const auto text = base::read_file(file == "-" ? "/dev/stdin" : file, kRuleBytesMax);
  if (!text) return print_error(text.error());
  const size_t slash = file.rfind('/');
  json request = {{"text", *text}};
  if (file != "-") request["name"] = slash == std::string::npos ? file : file.substr(slash + 1);
  const auto body = call_api(profile, {.method = "POST",
                                       .target = "/rules/check",
                                       .body = request.dump(-1, ' ', false, json::error_handler_t::replace)});
  if (!body) return print_error(Error(body.error()).within(file));
  json answer = json::parse(*body);
  const Exit exit = answer.at("refusals").empty() ? Exit::ok : Exit::usage;
  if (arguments.format == Format::json) {
    answer["file"] = file;
    print_line(answer.dump());
  } else {
    print_checked(file, answer);
  }
  return exit;
}

}  // namespace

Exit run_rule_list(const Arguments& arguments) {
  const auto profile = load_profile(find_profile(arguments.home));
  if (!profile) return print_error(profile.error());
  const auto body = call_api(*profile, {.target = "/rules"});
  if (!body) return print_error(body.error());
  const json answer = json::parse(*body);
  if (arguments.format == Format::json) {
    print_line(answer.dump());
  } else {
    print_rules(answer);
  }
  return Exit::ok;
}

Exit run_rule_show(const Arguments& arguments) { return rule_answer(arguments, {.target = rule_target(arguments)}); }
Exit run_rule_enable(const Arguments& arguments) { return change_rule(arguments, {{"enabled", true}}); }
Exit run_rule_disable(const Arguments& arguments) { return change_rule(arguments, {{"enabled", false}}); }

Exit run_rule_set(const Arguments& arguments) {
  json change = {{"importance", arguments.importance}};
  if (arguments.importance == "own") change["importance"] = nullptr;
  return change_rule(arguments, change);
}

Exit run_rule_check(const Arguments& arguments) {
  const auto profile = load_profile(find_profile(arguments.home));
  if (!profile) return print_error(profile.error());
  Exit worst = Exit::ok;
  for (const std::string& file : arguments.files) {
    const Exit exit = check_file(arguments, *profile, file);
    if (worst == Exit::ok) worst = exit;
  }
  return worst;
}

Exit run_rule_reload(const Arguments& arguments) {
  const auto profile = load_profile(find_profile(arguments.home));
  if (!profile) return print_error(profile.error());
  const auto body = call_api(*profile, {.method = "POST", .target = "/rules/reload"});
  if (!body) return print_error(body.error());
  const json load = json::parse(*body);
  if (arguments.format == Format::json) {
    print_line(load.dump());
  } else {
    print_line(std::to_string(load.value("rules", 0)) + " rules are loaded, " +
               std::to_string(load.value("enabled", 0)) + " on, " + std::to_string(load.value("refused", 0)) +
               " refused, in " + std::to_string(load.value("took_ms", 0)) + " ms");
  }
  return Exit::ok;
}

}  // namespace redoubt::cli
