// redoubt host list|show|revoke|invite.
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "apps/redoubt/api_client.h"
#include "apps/redoubt/commands.h"
#include "apps/redoubt/output.h"
#include "base/time.h"

namespace redoubt::cli {

namespace {

using nlohmann::json;

std::string rate_text(double rate) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f/s", rate);
  return text.data();
}

std::string policy_text(const json& host) {
  const json policy = host.value("policy", json::object());
  return policy.value("state", "") + " (" + std::to_string(policy.value("version", uint64_t{0})) + ")";
}

}  // namespace

Exit run_host_list(const Arguments& arguments) {
  const auto profile = load_profile(find_profile(arguments.home));
  if (!profile) return print_error(profile.error());
  const auto body = call_api(*profile, {.target = "/hosts"});
  if (!body) return print_error(body.error());
  const json answer = json::parse(*body);
  if (arguments.format == Format::json) {
    print_line(answer.dump());
    return Exit::ok;
  }
  Table table({"ID", "NAME", "STATE", "ADDRESS", "OS", "AGENT", "TIER", "LAST CONTACT", "RATE", "EVENTS", "LOST",
               "POLICY", "LEFT OUT"});
  for (const json& host : answer.at("hosts")) {
    const std::string state = host.value("silent", false) ? "silent" : host.value("state", "");
    table.add({host.value("id", ""), host.value("name", ""), state, host.value("ip", ""), host.value("os", ""),
               host.value("agent_version", ""), host.value("tier", ""), short_time(host.value("last_contact", "")),
               rate_text(host.value("event_rate", 0.0)), std::to_string(host.value("events", int64_t{0})),
               std::to_string(host.value("events_lost", int64_t{0})), policy_text(host),
               host.value("degradation", "")});
  }
  table.print();
  return Exit::ok;
}

Exit run_host_show(const Arguments& arguments) {
  const auto profile = load_profile(find_profile(arguments.home));
  if (!profile) return print_error(profile.error());
  const auto body = call_api(*profile, {.target = "/hosts/" + percent_encode(arguments.id)});
  if (!body) return print_error(body.error());
  const json host = json::parse(*body);
  if (arguments.format == Format::json) {
    print_line(host.dump());
    return Exit::ok;
  }
  for (const auto& [name, value] : host.items()) {
    if (value.is_structured()) continue;
    print_line(printable(name + ": " + (value.is_string() ? value.get<std::string>() : value.dump())));
  }
  print_line("policy: " + policy_text(host));
  Table losses({"SINCE", "UNTIL", "CAUSE", "KIND", "COUNT", "CGROUP"});
  for (const json& loss : host.value("recent_losses", json::array())) {
    losses.add({short_time(loss.value("since", "")), short_time(loss.value("until", "")), loss.value("cause", ""),
                loss.value("kind", ""), std::to_string(loss.value("count", int64_t{0})), loss.value("cgroup", "")});
  }
  losses.print();
  return Exit::ok;
}

Exit run_host_revoke(const Arguments& arguments) {
  const auto profile = load_profile(find_profile(arguments.home));
  if (!profile) return print_error(profile.error());
  const auto body =
      call_api(*profile, {.method = "POST", .target = "/hosts/" + percent_encode(arguments.id) + "/revoke"});
  if (!body) return print_error(body.error());
  print_line(arguments.format == Format::json ? *body : "host " + printable(arguments.id) + " is revoked");
  return Exit::ok;
}

Exit run_host_invite(const Arguments& arguments) {
  const auto profile = load_profile(find_profile(arguments.home));
  if (!profile) return print_error(profile.error());
  const auto valid_us = base::parse_duration_us(arguments.valid);
  if (!valid_us) return print_error(valid_us.error());
  const json request = {{"valid_s", *valid_us / base::kSecondUs}, {"uses", arguments.uses}};
  const auto body = call_api(*profile, {.method = "POST", .target = "/enrollment-tokens", .body = request.dump()});
  if (!body) return print_error(body.error());
  if (arguments.format == Format::json) {
    print_line(*body);
    return Exit::ok;
  }
  const json answer = json::parse(*body);
  const std::string address = profile->url.substr(profile->url.find("//") + 2);
  print_line(answer.value("token", ""));
  print_note("On the host, with the token in a file of mode 0600, until " + short_time(answer.value("expires", "")) +
             " UTC:\n  redoubt-agent enroll --server " + address + " --fingerprint " + answer.value("fingerprint", "") +
             " --token-file FILE --data /var/lib/redoubt-agent");
  return Exit::ok;
}

}  // namespace redoubt::cli
