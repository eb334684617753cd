#include "central/fleet/silence_watch.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/log.h"

namespace redoubt::central {

namespace {

constexpr std::string_view kSilenceLog = "fleet";
constexpr std::string_view kSilenceRule = "fleet:silent";
constexpr std::string_view kSilenceUser = "(node)";
constexpr int64_t kLookEverySMost = 60;

std::string span_text(int64_t span_us) {
  const int64_t minutes = span_us / base::kMinuteUs;
  return minutes > 0 ? std::to_string(minutes) + " min" : std::to_string(span_us / base::kSecondUs) + " s";
}

}  // namespace

int64_t SilenceWatch::look_every_s() const {
  if (silent_after_us_ == 0) return kLookEverySMost;
  constexpr int64_t kLooksInASilence = 4;
  return std::clamp<int64_t>(silent_after_us_ / base::kSecondUs / kLooksInASilence, 1, kLookEverySMost);
}

void SilenceWatch::look(base::Time now) {
  if (silent_after_us_ == 0) return;
  const auto hosts = fleet_.list();
  if (!hosts) {
    base::log_warning(kSilenceLog, hosts.error().message);
    return;
  }
  for (const Host& host : *hosts) {
    if (host.state == HostState::revoked) continue;
    const base::Time heard = host.last_contact.us != 0 ? host.last_contact : host.enrolled;
    const bool silent = now.us - std::max(heard.us, started_.us) > silent_after_us_;
    if (silent == !host.silent_alert.empty()) continue;
    // The node has just come back: whether the host is there will show.
    if (!silent && now.us - heard.us > silent_after_us_) continue;
    const Status done = silent ? tell(host, heard) : clear(host);
    if (!done) base::log_warning(kSilenceLog, "host " + host.id + ": " + done.error().message);
  }
}

Status SilenceWatch::tell(const Host& host, base::Time since) {
  const nlohmann::ordered_json event = {
      {"host.id", host.id}, {"host.name", host.name}, {"agent.last_contact", base::format_time(since)}};
  TRY(const std::string alert,
      alerts_.add({.key = std::string(kSilenceRule) + "|" + host.id + "|" + std::to_string(since.us),
                   .source = AlertSource::fleet,
                   .rule = {.id = std::string(kSilenceRule),
                            .title = "Host fell silent",
                            .description = "Nothing came from the host's agent for longer than fleet.silent_after. It "
                                           "was stopped, cut off or killed, or the host is down.",
                            .format = "fleet",
                            .author = {},
                            .references = {},
                            .false_positives = {"host shut down on purpose"}},
                   .importance = rules::Importance::medium,
                   .techniques = {"T1562.001"},
                   .tactics = {},
                   .time = since,
                   .host_id = host.id,
                   .host_name = host.name,
                   .user = {},
                   .process = {},
                   .object = {},
                   .correlated = {},
                   .event_json = event.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace),
                   .message = host.name + " has been silent since " + base::format_time(since),
                   .falco_json = {}}));
  base::log_warning(kSilenceLog, "host " + host.name + " (" + host.id + ") has been silent for " +
                                     span_text(base::Time::now().us - since.us));
  return fleet_.set_silent_alert(host.id, alert);
}

Status SilenceWatch::clear(const Host& host) {
  const auto alert = alerts_.get(host.silent_alert);
  if (alert && alert->status != AlertStatus::closed) {
    TRY(const Alert closed,
        alerts_.change(host.silent_alert,
                       {.status = AlertStatus::closed,
                        .assignee = {},
                        .comment = "The host is back: contact at " + base::format_time(host.last_contact)},
                       std::string(kSilenceUser)));
  }
  return fleet_.set_silent_alert(host.id, "");
}

}  // namespace redoubt::central
