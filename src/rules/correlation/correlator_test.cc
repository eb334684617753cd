// Correlations over events: what fires, how often, and what is left over a restart and a reload.
#include "rules/correlation/correlator.h"

#include <gtest/gtest.h>

#include "base/time.h"
#include "event/frame.h"
#include "redoubt/event.pb.h"
#include "rules/sigma/rule.h"

namespace redoubt::rules::correlation {
namespace {

constexpr int64_t kStartUs = 1'780'000'000'000'000;
constexpr std::string_view kRules = R"(
title: Shell
name: shell
logsource: {product: linux, category: process_creation}
detection: {s: {Image: /bin/sh}, condition: s}
---
title: Connection
name: connection
logsource: {product: linux, category: network_connection}
detection: {s: {Initiated: true}, condition: s}
---
title: File
name: file
logsource: {product: linux, category: file_event}
detection: {s: {TargetFilename|startswith: /}, condition: s}
---
)";

// The rules above and correlations, each `title: …\ncorrelation: …`, separated by ---.
RuleSet rules_with(const std::string& correlations) {
  sigma::RuleFile file = sigma::read_rules(std::string(kRules) + correlations, "t.yml");
  std::vector<Refusal> refusals = std::move(file.refusals);
  auto linked = sigma::link_correlations(std::move(file.correlations), file.rules, file.scopes, refusals);
  for (const Refusal& refusal : refusals) ADD_FAILURE() << refusal.rendered;
  return RuleSet::of(std::move(file.rules), std::move(linked)).value();
}

std::string correlation(const std::string& body, const std::string& title = "C") {
  return "title: " + title + "\ncorrelation: {" + body + "}\n";
}

v1::Event shell(const std::string& user) {
  v1::Event event;
  event.set_event_type(v1::EVENT_TYPE_PROCESS);
  event.set_process_executable("/bin/sh");
  if (!user.empty()) event.set_user_name(user);
  return event;
}

v1::Event connection(const std::string& user, const std::string& address, int64_t port = 443) {
  v1::Event event;
  event.set_event_type(v1::EVENT_TYPE_CONNECTION);
  event.set_network_direction("outbound");
  event.set_user_name(user);
  event.set_destination_ip(address);
  event.set_destination_port(port);
  return event;
}

v1::Event file(const std::string& user) {
  v1::Event event;
  event.set_event_type(v1::EVENT_TYPE_FILECHANGE);
  event.set_event_action("create");
  event.set_user_name(user);
  event.set_file_path("/tmp/x");
  return event;
}

// A host's events, numbered as they come.
class Host {
 public:
  Host(const RuleSet& rules, std::string id) : matcher_(rules.compile().value()), id_(std::move(id)) {}

  Intake observe(const Correlator& correlator, v1::Event event, double seconds) {
    event.set_event_sequence(++sequence_);
    event.set_event_time(kStartUs + static_cast<int64_t>(seconds * base::kSecondUs));
    v1::Event common;
    common.set_host_id(id_);
    common.set_host_name(id_ + "-name");
    common.set_host_boot_id("boot");
    event::FrameBuilder builder(common);
    builder.add(event);
    const event::Frame frame = builder.finish("boot");
    batches_.push_back(event::Batch::decode(event::open_frame(frame.payload, frame.checksum).value()).value());
    std::vector<query::match::Hit> hits;
    matcher_.match(batches_.back(), hits);
    return correlator.observe(id_, batches_.back(), hits);
  }

 private:
  query::match::Matcher matcher_;
  std::string id_;
  int64_t sequence_ = 0;
  std::vector<event::Batch> batches_;
};

class Scene {
 public:
  explicit Scene(const std::string& correlations, const CorrelatorOptions& limits = {})
      : rules_(rules_with(correlations)), correlator_(rules_, limits) {}

  // The firings that the event causes.
  std::vector<Firing> at(double seconds, const v1::Event& event, const std::string& host = "h1") {
    auto [found, added] = hosts_.try_emplace(host, rules_, host);
    return correlator_.take(found->second.observe(correlator_, event, seconds)).firings;
  }
  size_t count(double seconds, const v1::Event& event, const std::string& host = "h1") {
    return at(seconds, event, host).size();
  }
  void restart() {
    Correlator next(rules_);
    const std::string state = correlator_.save();
    ASSERT_TRUE(next.load(state));
    EXPECT_EQ(next.save(), state);
    correlator_ = std::move(next);
  }

  RuleSet rules_;
  Correlator correlator_;
  std::map<std::string, Host> hosts_;
};

const std::string kThreeShells =
    correlation("type: event_count, rules: shell, group-by: User, timespan: 1m, condition: {gte: 3}");

TEST(Correlator, counts_an_event_as_often_as_it_happened) {
  Scene scene(correlation("type: event_count, rules: file, group-by: User, timespan: 1m, condition: {gte: 100}"));
  v1::Event several = file("ann");
  several.set_event_count(98);
  EXPECT_EQ(scene.count(0, file("ann")), 0U);
  EXPECT_EQ(scene.count(10, several), 0U);
  scene.restart();
  EXPECT_EQ(scene.count(20, file("ann")), 1U);
  // What leaves the window takes all that it stood for along.
  EXPECT_EQ(scene.count(71, file("ann")), 0U);
}

TEST(Correlator, counts_events_of_a_group_within_the_timespan) {
  Scene scene(kThreeShells);
  EXPECT_EQ(scene.count(0, shell("ann")), 0U);
  EXPECT_EQ(scene.count(10, shell("bob")), 0U);
  EXPECT_EQ(scene.count(20, shell("ann")), 0U);
  EXPECT_EQ(scene.count(30, connection("ann", "10.0.0.1")), 0U);
  const auto fired = scene.at(60, shell("ann"));
  ASSERT_EQ(fired.size(), 1U);
  EXPECT_EQ(fired[0].group, (std::vector<std::string>{"ann"}));
  EXPECT_EQ(fired[0].count, 3U);
  EXPECT_EQ(fired[0].first_us, kStartUs);
  EXPECT_EQ(fired[0].last_us, kStartUs + 60 * base::kSecondUs);
  ASSERT_EQ(fired[0].events.size(), 3U);
  EXPECT_EQ(fired[0].events[1].sequence, 3U);
  EXPECT_EQ(fired[0].events[2].host_id, "h1");
  EXPECT_EQ(fired[0].host_name, "h1-name");
  EXPECT_EQ(fired[0].row, 0U);
}

TEST(Correlator, the_window_slides_and_its_edges_count) {
  Scene scene(kThreeShells);
  EXPECT_EQ(scene.count(0, shell("ann")), 0U);
  EXPECT_EQ(scene.count(30, shell("ann")), 0U);
  EXPECT_EQ(scene.count(60.000001, shell("ann")), 0U);
  EXPECT_EQ(scene.count(90, shell("ann")), 1U);
}

TEST(Correlator, a_group_starts_anew_after_a_firing) {
  Scene scene(kThreeShells);
  size_t fired = 0;
  for (int i = 0; i < 8; ++i) fired += scene.count(i, shell("ann"));
  EXPECT_EQ(fired, 2U);
  EXPECT_EQ(scene.count(8, shell("ann")), 1U);
  EXPECT_EQ(scene.correlator_.groups(), 0U);
}

TEST(Correlator, late_events_find_the_windows_that_they_are_in) {
  Scene scene(kThreeShells);
  EXPECT_EQ(scene.count(0, shell("ann")), 0U);
  EXPECT_EQ(scene.count(110, shell("ann")), 0U);
  EXPECT_EQ(scene.count(55, shell("ann")), 0U);  // 0 and 55; 55 and 110
  EXPECT_EQ(scene.count(50, shell("ann")), 1U);  // 0, 50 and 55
  EXPECT_EQ(scene.count(200, shell("bob")), 0U);
  EXPECT_EQ(scene.count(79, shell("bob")), 0U);
  EXPECT_EQ(scene.correlator_.given_up().late_events, 1U);
}

TEST(Correlator, events_without_a_field_of_the_group_are_in_none) {
  Scene scene(kThreeShells);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(scene.count(i, shell("")), 0U);
  EXPECT_EQ(scene.correlator_.groups(), 0U);
}

TEST(Correlator, without_a_group_hosts_count_together) {
  Scene scene(correlation("type: event_count, rules: [shell, connection], timespan: 1m, condition: {gt: 2}"));
  EXPECT_EQ(scene.count(0, shell("ann"), "h1"), 0U);
  EXPECT_EQ(scene.count(1, connection("bob", "10.0.0.1"), "h2"), 0U);
  const auto fired = scene.at(2, shell("ann"), "h3");
  ASSERT_EQ(fired.size(), 1U);
  EXPECT_TRUE(fired[0].group.empty());
  EXPECT_EQ(fired[0].events[1].host_id, "h2");
}

TEST(Correlator, counts_different_values) {
  Scene scene(correlation(
      "type: value_count, rules: connection, group-by: User, timespan: 1m, condition: {field: DestinationIp, gte: 3}"));
  EXPECT_EQ(scene.count(0, connection("ann", "10.0.0.1")), 0U);
  EXPECT_EQ(scene.count(1, connection("ann", "10.0.0.2")), 0U);
  EXPECT_EQ(scene.count(2, connection("ann", "10.0.0.2")), 0U);
  EXPECT_EQ(scene.count(61, connection("ann", "10.0.0.3")), 0U);  // the first is out of the window
  EXPECT_EQ(scene.count(61.5, connection("ann", "10.0.0.3")), 0U);
  const auto fired = scene.at(61.6, connection("ann", "10.0.0.4"));
  ASSERT_EQ(fired.size(), 1U);
  EXPECT_EQ(fired[0].measured, 3);
  EXPECT_EQ(fired[0].count, 4U);
}

TEST(Correlator, counts_different_tuples) {
  Scene scene(
      correlation("type: value_count, rules: connection, timespan: 1m, condition: {field: [DestinationIp, "
                  "DestinationPort], gt: 1}"));
  EXPECT_EQ(scene.count(0, connection("ann", "10.0.0.1", 80)), 0U);
  EXPECT_EQ(scene.count(1, connection("ann", "10.0.0.1", 80)), 0U);
  EXPECT_EQ(scene.count(2, connection("ann", "10.0.0.1", 81)), 1U);
}

TEST(Correlator, temporal_wants_all_rules_in_any_order) {
  Scene scene(correlation("type: temporal, rules: [shell, connection, file], group-by: User, timespan: 10s"));
  EXPECT_EQ(scene.count(0, file("ann")), 0U);
  EXPECT_EQ(scene.count(5, shell("ann")), 0U);
  EXPECT_EQ(scene.count(11, connection("ann", "10.0.0.1")), 0U);
  EXPECT_EQ(scene.count(14, file("bob")), 0U);
  EXPECT_EQ(scene.count(15, file("ann")), 1U);
}

TEST(Correlator, temporal_ordered_wants_their_order) {
  Scene scene(correlation("type: temporal_ordered, rules: [shell, connection, file], group-by: User, timespan: 10s"));
  EXPECT_EQ(scene.count(0, shell("ann")), 0U);
  EXPECT_EQ(scene.count(1, file("ann")), 0U);
  EXPECT_EQ(scene.count(2, connection("ann", "10.0.0.1")), 0U);
  EXPECT_EQ(scene.count(11, file("ann")), 0U);  // the shell is too long ago
  EXPECT_EQ(scene.count(10.5, shell("ann")), 0U);
  EXPECT_EQ(scene.count(12, file("ann")), 0U);                    // no connection after the shell
  EXPECT_EQ(scene.count(11, connection("ann", "10.0.0.1")), 1U);  // comes late, between the two
}

TEST(Correlator, temporal_extended_is_a_boolean_expression) {
  Scene scene(
      correlation("type: temporal_extended, rules: [shell, connection, file], timespan: 10s, condition: shell and "
                  "(file or connection)"));
  EXPECT_EQ(scene.count(0, file("ann")), 0U);
  EXPECT_EQ(scene.count(1, connection("ann", "10.0.0.1")), 0U);
  EXPECT_EQ(scene.count(2, shell("ann")), 1U);
}

TEST(Correlator, what_has_to_be_missing_is_judged_when_the_time_is_over) {
  Scene scene(
      correlation("type: temporal_extended, rules: [shell, connection], group-by: User, timespan: 10s, condition: "
                  "shell and not connection"));
  EXPECT_EQ(scene.count(0, shell("ann")), 0U);
  EXPECT_EQ(scene.count(0, shell("bob")), 0U);
  EXPECT_EQ(scene.count(9, connection("bob", "10.0.0.1")), 0U);
  EXPECT_EQ(scene.count(14, file("eve")), 0U);
  EXPECT_EQ(scene.count(60, file("eve"), "h2"), 0U);  // another host's time
  const auto fired = scene.at(15.1, file("eve"));
  ASSERT_EQ(fired.size(), 1U);
  EXPECT_EQ(fired[0].group, (std::vector<std::string>{"ann"}));
  EXPECT_FALSE(fired[0].row);
}

TEST(Correlator, the_time_of_a_host_goes_on_over_its_boots) {
  Scene scene(correlation("type: event_count, rules: shell, group-by: User, timespan: 10s, condition: {lt: 3}"));
  EXPECT_EQ(scene.count(0, shell("ann")), 0U);
  const Intake next_boot{.host_id = "h1", .boot_id = "boot2", .newest_us = kStartUs + base::kMinuteUs};
  EXPECT_EQ(scene.correlator_.take(next_boot).firings.size(), 1U);
}

TEST(Correlator, upper_bounds_and_ranges_are_judged_when_the_time_is_over) {
  Scene scene(
      correlation("type: event_count, rules: shell, group-by: User, timespan: 10s, condition: {gte: 2, lt: 4}"));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(scene.count(i, shell("ann")), 0U);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(scene.count(3, shell("bob")), 0U);
  EXPECT_EQ(scene.count(4, shell("eve")), 0U);
  const auto fired = scene.at(60, file("x"));
  ASSERT_EQ(fired.size(), 1U);
  EXPECT_EQ(fired[0].group, (std::vector<std::string>{"bob"}));
  EXPECT_EQ(fired[0].measured, 3);
  EXPECT_EQ(scene.correlator_.groups(), 0U);
}

TEST(Correlator, windows_that_are_judged_at_their_end_follow_one_another) {
  Scene scene(correlation("type: event_count, rules: shell, timespan: 10s, condition: {eq: 2}"));
  for (const double seconds : {0., 1., 11., 12., 13.}) EXPECT_EQ(scene.count(seconds, shell("ann")), 0U);
  EXPECT_EQ(scene.count(20, shell("ann")), 1U);  // 0 and 1
  EXPECT_EQ(scene.count(60, file("ann")), 0U);   // 11, 12, 13 and 20
}

double statistic(const std::string& type, const std::string& condition, const std::vector<int64_t>& ports) {
  Scene scene(correlation("type: " + type + ", rules: connection, timespan: 10s, condition: {field: DestinationPort, " +
                          condition + "}"));
  std::vector<Firing> fired;
  for (const int64_t port : ports) {
    for (const Firing& each : scene.at(1, connection("ann", "10.0.0.1", port))) fired.push_back(each);
  }
  for (const Firing& each : scene.at(60, file("ann"))) fired.push_back(each);
  return fired.size() == 1 ? fired[0].measured : -static_cast<double>(fired.size());
}

TEST(Correlator, statistics) {
  EXPECT_EQ(statistic("value_sum", "gte: 100", {40, 59, 1}), 100);
  EXPECT_EQ(statistic("value_sum", "gte: 101", {40, 59, 1}), 0);
  EXPECT_EQ(statistic("value_avg", "gt: 2", {1, 2, 5}), 8.0 / 3);
  EXPECT_EQ(statistic("value_avg", "gt: 3", {1, 2, 5}), 0);
  EXPECT_EQ(statistic("value_median", "gte: 1", {9, 1, 5}), 5);
  EXPECT_EQ(statistic("value_median", "gte: 1", {9, 1, 5, 6}), 5.5);
  EXPECT_EQ(statistic("value_percentile", "percentile: 50, gte: 1", {10, 40, 30, 20}), 20);
  EXPECT_EQ(statistic("value_percentile", "percentile: 75.5, gte: 1", {10, 40, 30, 20}), 40);
  EXPECT_EQ(statistic("value_percentile", "percentile: 1, gte: 1", {10, 40, 30, 20}), 10);
}

TEST(Correlator, aliases_join_fields_of_other_names) {
  Scene scene(
      correlation("type: temporal, rules: [shell, connection], group-by: who, timespan: 10s, aliases: {who: "
                  "{shell: User, connection: DestinationIp}}"));
  EXPECT_EQ(scene.count(0, shell("10.0.0.1")), 0U);
  EXPECT_EQ(scene.count(1, connection("10.0.0.1", "10.0.0.2")), 0U);
  EXPECT_EQ(scene.count(2, connection("ann", "10.0.0.1")), 1U);
}

const std::string kChain =
    "title: Burst\nname: burst\ncorrelation: {type: event_count, rules: shell, group-by: [Computer, User], timespan: "
    "10s, "
    "condition: {gte: 2}}\n---\ntitle: Then\ncorrelation: {type: temporal_ordered, rules: [burst, connection], "
    "group-by: "
    "User, timespan: 1m}\n";

TEST(Correlator, chains_show_the_outermost_alone) {
  Scene scene(kChain);
  EXPECT_EQ(scene.count(0, shell("ann")), 0U);
  EXPECT_EQ(scene.count(1, connection("ann", "10.0.0.1")), 0U);
  EXPECT_EQ(scene.count(2, shell("ann")), 0U);
  const auto fired = scene.at(30, connection("ann", "10.0.0.1"));
  ASSERT_EQ(fired.size(), 1U);
  EXPECT_EQ(scene.rules_.correlations()[fired[0].correlation].rule.title, "Then");
  EXPECT_EQ(fired[0].group, (std::vector<std::string>{"ann"}));
  EXPECT_EQ(fired[0].first_us, kStartUs + 2 * base::kSecondUs);
}

TEST(Correlator, generate_shows_what_is_counted_too) {
  const RuleSet silent = rules_with(kThreeShells);
  EXPECT_EQ(silent.rules()[0].alerting, Alerting::off);
  EXPECT_EQ(silent.rules()[1].alerting, Alerting::on);
  const RuleSet speaking = rules_with(
      kThreeShells + "---\n" +
      correlation("type: event_count, rules: shell, timespan: 5m, condition: {gte: 9}, generate: true", "D"));
  EXPECT_EQ(speaking.rules()[0].alerting, Alerting::on);
}

TEST(Correlator, no_event_counts_twice) {
  Scene scene(kThreeShells);
  Host host(scene.rules_, "h1");
  const Intake first = host.observe(scene.correlator_, shell("ann"), 0);
  for (int i = 0; i < 5; ++i) {
    const Outcome outcome = scene.correlator_.take(first);
    EXPECT_TRUE(outcome.firings.empty());
    EXPECT_EQ(outcome.change, i == 0 ? Change::some : Change::none);
  }
}

TEST(Correlator, state_survives_a_restart) {
  Scene scene(kThreeShells + "---\n" + kChain);
  EXPECT_EQ(scene.count(0, shell("ann")), 0U);
  scene.restart();
  EXPECT_EQ(scene.count(10, shell("ann")), 0U);
  scene.restart();
  EXPECT_EQ(scene.count(20, shell("ann")), 1U);
  scene.restart();
  EXPECT_EQ(scene.count(30, shell("ann")), 0U);
}

TEST(Correlator, windows_that_are_judged_at_their_end_survive_a_restart) {
  Scene scene(correlation("type: event_count, rules: shell, timespan: 10s, condition: {lt: 3}"));
  EXPECT_EQ(scene.count(0, shell("ann")), 0U);
  scene.restart();
  EXPECT_EQ(scene.count(60, file("ann")), 1U);
}

TEST(Correlator, a_journal_of_intakes_leads_to_the_same_state_and_firings) {
  Scene scene(kThreeShells + "---\n" + kChain);
  Correlator replayed(scene.rules_);
  ASSERT_TRUE(replayed.load(scene.correlator_.save()));
  Host host(scene.rules_, "h1");
  for (int i = 0; i < 20; ++i) {
    const v1::Event event = i % 3 == 0 ? connection("ann", "10.0.0.1") : shell(i % 2 == 0 ? "ann" : "bob");
    const Intake intake = host.observe(scene.correlator_, event, 3 * i);
    const Outcome live = scene.correlator_.take(intake);
    const Outcome again = replayed.take(replayed.decode(scene.correlator_.encode(intake)).value());
    ASSERT_EQ(live.firings.size(), again.firings.size());
    for (size_t j = 0; j < live.firings.size(); ++j) EXPECT_EQ(live.firings[j].key, again.firings[j].key);
  }
  EXPECT_EQ(scene.correlator_.save(), replayed.save());
}

TEST(Correlator, a_reload_keeps_what_did_not_change) {
  Scene scene(kThreeShells);
  EXPECT_EQ(scene.count(0, shell("ann")), 0U);
  EXPECT_EQ(scene.count(1, shell("ann")), 0U);
  const std::string state = scene.correlator_.save();
  const auto fires_with = [&](const std::string& correlations) {
    const RuleSet rules = rules_with(correlations);
    Correlator next(rules);
    EXPECT_TRUE(next.load(state));
    Host host(rules, "h1");
    (void)host.observe(next, shell("x"), 0);
    (void)host.observe(next, shell("x"), 0);
    return next.take(host.observe(next, shell("ann"), 2)).firings.size();
  };
  EXPECT_EQ(fires_with(correlation("type: temporal, rules: [shell, file], timespan: 1m", "D") + "---\n" + kThreeShells),
            1U);
  EXPECT_EQ(fires_with(kThreeShells), 1U);
  EXPECT_EQ(
      fires_with(correlation("type: event_count, rules: shell, group-by: User, timespan: 2m, condition: {gte: 3}")),
      0U);
}

TEST(Correlator, damaged_states_are_refused_and_change_nothing) {
  Scene scene(kThreeShells);
  EXPECT_EQ(scene.count(0, shell("ann")), 0U);
  const std::string state = scene.correlator_.save();
  Correlator other(scene.rules_);
  const std::string before = other.save();
  for (size_t size = 0; size < state.size(); ++size) EXPECT_FALSE(other.load(state.substr(0, size)));
  std::string flipped = state;
  flipped.back() = static_cast<char>(flipped.back() ^ 1);
  EXPECT_EQ(other.load(flipped).error().code, Errc::corrupt);
  EXPECT_EQ(other.load("").error().code, Errc::corrupt);
  EXPECT_EQ(other.save(), before);
}

TEST(Correlator, over_its_limits_the_oldest_group_is_given_up) {
  Scene scene(kThreeShells, {.groups_max = 2});
  EXPECT_EQ(scene.count(0, shell("ann")), 0U);
  EXPECT_EQ(scene.count(1, shell("bob")), 0U);
  EXPECT_EQ(scene.count(2, shell("ann")), 0U);
  EXPECT_EQ(scene.count(3, shell("eve")), 0U);  // bob goes
  EXPECT_EQ(scene.correlator_.given_up().groups, 1U);
  EXPECT_EQ(scene.count(4, shell("ann")), 1U);
  Scene small(kThreeShells, {.state_bytes_max = 4096});
  for (int i = 0; i < 100; ++i) EXPECT_EQ(small.count(i, shell("user" + std::to_string(i))), 0U);
  EXPECT_LE(small.correlator_.bytes(), 4096U);
  EXPECT_GT(small.correlator_.given_up().groups, 50U);
}

TEST(Correlator, a_full_group_gives_up_its_oldest_events) {
  Scene scene(
      correlation("type: value_count, rules: connection, timespan: 1h, condition: {field: DestinationIp, gte: 3}"));
  Intake intake{.host_id = "h", .boot_id = "b"};
  for (uint64_t i = 1; i <= kGroupEventsMax + 10; ++i) {
    intake.observations.push_back({.time_us = kStartUs, .sequence = i, .value = i == 1 ? 1U : 2U});
  }
  EXPECT_TRUE(scene.correlator_.take(intake).firings.empty());
  EXPECT_EQ(scene.correlator_.given_up().events, 10U);
  intake.observations = {{.time_us = kStartUs, .sequence = kGroupEventsMax + 11, .value = 3}};
  EXPECT_TRUE(scene.correlator_.take(intake).firings.empty());  // value 1 is gone
  intake.observations = {{.time_us = kStartUs, .sequence = kGroupEventsMax + 12, .value = 4}};
  EXPECT_EQ(scene.correlator_.take(intake).firings.size(), 1U);
}

TEST(Correlator, groups_whose_host_went_on_are_forgotten) {
  Scene scene(kThreeShells);
  EXPECT_EQ(scene.count(0, shell("ann")), 0U);
  EXPECT_EQ(scene.count(0, shell("bob"), "h2"), 0U);
  EXPECT_EQ(scene.count(3600, shell("eve")), 0U);
  EXPECT_EQ(scene.count(3601, shell("eve")), 0U);
  EXPECT_EQ(scene.correlator_.groups(), 2U);  // bob's host has not gone on
  EXPECT_EQ(scene.correlator_.given_up().groups, 0U);
}

TEST(Correlator, hosts_that_are_long_gone_make_room) {
  Scene scene(kThreeShells, {.sources_max = 4});
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(scene.count(i, shell("user" + std::to_string(i)), "host" + std::to_string(i)), 0U);
  }
  EXPECT_EQ(scene.count(20, shell("user3"), "host3"), 0U);
  const auto fired = scene.at(21, shell("user3"), "host3");
  ASSERT_EQ(fired.size(), 1U);
  EXPECT_EQ(fired[0].events[0].host_id, "host3");
}

TEST(CorrelationKey, long_values_are_told_apart_by_their_digest) {
  std::string one, other;
  append_part(one, std::string(5000, 'a'));
  append_part(other, std::string(5000, 'a') + "b");
  EXPECT_NE(one, other);
  EXPECT_EQ(split_parts(one)->front().size(), kKeyValueBytesMax);
  append_part(one, event::Value::of_integer(-7));
  EXPECT_EQ(split_parts(one)->back(), "-7");
  EXPECT_FALSE(split_parts("\x05"));
  EXPECT_FALSE(split_parts(std::string("\x05\0ab", 4)));
}

}  // namespace
}  // namespace redoubt::rules::correlation
