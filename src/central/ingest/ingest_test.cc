// The way of a frame, over the embedded store and a real SQLite database; a crash is a store that is opened again.
#include "central/ingest/ingest.h"

#include <gtest/gtest.h>
#include <soci/soci.h>

#include "base/file.h"
#include "central/fleet/enrollment.h"
#include "central/state_schema.h"
#include "central/test_events.h"

namespace redoubt::central {
namespace {

using query::Expression;
using testing::process_event;

std::shared_ptr<const RuleSnapshot> curl_rule() {
  std::vector<rules::Rule> rules;
  rules.push_back({.id = "curl",
                   .title = "curl was run",
                   .format = "sigma",
                   .importance = rules::Importance::high,
                   .techniques = {"T1105"},
                   .expression = query::normalize(Expression::test(event::Field::process_name, query::Operator::equal,
                                                                   {std::string("curl")}))
                                     .value()});
  auto files = std::make_shared<const rules::RuleSet>(rules::RuleSet::of(std::move(rules)).value());
  return RuleSnapshot::make(std::move(files), {}, {}, base::Time::now());
}

std::shared_ptr<const RuleSnapshot> falco_rules(const base::TempDir& directory) {
  CHECK(base::write_file_atomic(directory / "r.yaml", R"(
- rule: Curl
  desc: d
  condition: evt.type = execve and proc.name = curl
  output: "ran %proc.name as %user.name"
  priority: Notice
- rule: Any program
  desc: d
  condition: evt.type = execve
  output: x
  priority: Notice
)",
                                base::kPublicFile));
  auto files = std::make_shared<const rules::RuleSet>(rules::RuleSet::load(std::string(directory / "")).value());
  return RuleSnapshot::make(std::move(files), {}, {}, base::Time::now());
}

class IngestTest : public ::testing::Test {
 protected:
  void SetUp() override {
    open();
    auto ca = link::make_ca("test").value();
    Enrollment enrollment(*state_, ca);
    const auto token = enrollment.create_token({}, "admin").value();
    const auto enrolled =
        enrollment
            .enroll({.token = token.token, .csr = link::make_request("x").value().request_pem, .host_name = "web-1"})
            .value();
    agent_ = {.host_id = enrolled.host_id,
              .certificate_fingerprint = link::read_certificate(enrolled.certificate).value().fingerprint};
    connect();
  }

  void open() {
    state_ = store::open_sqlite_state(directory_ / "state.db", state_migrations()).value();
    store_ = store::open_embedded_store({.directory = directory_ / "events"}).value();
    alerts_ = std::make_unique<AlertBook>(*state_, feed_);
    fleet_ = std::make_unique<Fleet>(*state_);
    correlations_ = CorrelationBook::open(*state_, *alerts_, rules_, metrics_).value();
    judge_ = Judge::make(rules_, *correlations_, metrics_, 2).value();
    ingest_ = std::make_unique<Ingest>(*store_, *judge_, *fleet_, metrics_);
  }
  void close() {
    ingest_.reset();
    judge_.reset();
    correlations_.reset();
    fleet_.reset();
    alerts_.reset();
    store_.reset();
    state_.reset();
  }
  void connect() { ASSERT_TRUE(ingest_->agent_connected(agent_, {.boot_id = "boot"})); }

  event::Frame curl_frame(uint64_t first, uint64_t count, const std::string& host = "") {
    std::vector<v1::Event> events;
    for (uint64_t i = 0; i < count; ++i) {
      events.push_back(process_event(first + i, static_cast<int>(first + i), 1, "/usr/bin/curl"));
    }
    return testing::frame_of(events, host.empty() ? agent_.host_id : host);
  }
  int64_t alerts() { return alerts_->list({}, 1, "")->total; }
  int64_t detections() { return alerts_->hits().value()["curl"].count; }

  base::TempDir directory_;
  base::Metrics metrics_;
  std::shared_ptr<const RuleSnapshot> rules_ = curl_rule();
  AlertFeed feed_;
  std::unique_ptr<store::StateDb> state_;
  std::unique_ptr<store::EventStore> store_;
  std::unique_ptr<AlertBook> alerts_;
  std::unique_ptr<Fleet> fleet_;
  std::unique_ptr<CorrelationBook> correlations_;
  std::unique_ptr<Judge> judge_;
  std::unique_ptr<Ingest> ingest_;
  link::AgentIdentity agent_;
};

TEST_F(IngestTest, falco_rules_say_what_happened_and_the_first_or_all_report_it) {
  close();
  const base::TempDir directory;
  rules_ = falco_rules(directory);
  ASSERT_EQ(rules_->rules().size(), 2u);
  open();
  connect();
  std::vector<std::string> lines;
  alerts_->tell([&](const NewDetection& detection) { lines.push_back(detection.falco_json); });
  ASSERT_TRUE(ingest_->take_frame(agent_, curl_frame(1, 1)));
  EXPECT_EQ(alerts(), 2);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_NE(lines[0].find(R"("rule":"Curl","priority":"Notice")"), std::string::npos) << lines[0];
  const AlertPage page = alerts_->list({}, 10, "").value();
  for (const Alert& alert : page.alerts) {
    EXPECT_EQ(alert.message, alert.title == "Curl" ? "ran curl as <NA>" : "x");
  }
  judge_->set_falco_matching(rules::falco::RuleMatching::first);
  ASSERT_TRUE(ingest_->take_frame(agent_, curl_frame(2, 1)));
  EXPECT_EQ(alerts(), 3);
  EXPECT_EQ(lines.size(), 3u);
}

TEST_F(IngestTest, stores_and_judges_a_frame) {
  ASSERT_TRUE(ingest_->take_frame(agent_, curl_frame(1, 3)));
  EXPECT_EQ(store_->stored_sequence(agent_.host_id, "boot"), 3u);
  EXPECT_EQ(alerts(), 3);  // three processes
  const auto page = alerts_->list({}, 10, "");
  EXPECT_EQ(page->alerts[0].title, "curl was run");
  EXPECT_EQ(page->alerts[0].host_name, "web-1");
  EXPECT_EQ(page->alerts[0].user, "root");
  EXPECT_EQ(fleet_->get(agent_.host_id)->state, HostState::connected);
  EXPECT_GT(fleet_->get(agent_.host_id)->event_rate, 0);
}

std::shared_ptr<const RuleSnapshot> rare_rule(const base::TempDir& directory) {
  CHECK(base::write_file_atomic(directory / "rare.yml", R"(
title: A program that few hosts have
id: 8f0f2a4e-4d1b-4c6e-9f3a-0c8d6b7e5a41
status: test
logsource:
  category: process_creation
  product: linux
detection:
  selection:
    prevalence.executable|lt: 3
    prevalence.fleet|gte: 2
  condition: selection
level: medium
)",
                                base::kPublicFile));
  auto files = std::make_shared<const rules::RuleSet>(rules::RuleSet::load(std::string(directory / "")).value());
  return RuleSnapshot::make(std::move(files), {}, {}, base::Time::now());
}

TEST_F(IngestTest, rules_and_hunts_ask_how_common_a_program_is) {
  close();
  const base::TempDir directory;
  rules_ = rare_rule(directory);
  ASSERT_EQ(rules_->rules().size(), 1u);
  open();
  connect();
  auto prevalence = PrevalenceBook::open(*state_, metrics_, base::Time::now()).value();
  ingest_->count_in(*prevalence);
  ASSERT_TRUE(ingest_->take_frame(agent_, curl_frame(1, 1)));
  EXPECT_EQ(alerts(), 0);  // a fleet of one
  event::Batch elsewhere = testing::batch_of(curl_frame(1, 1, "other"));
  prevalence->note("other", elsewhere, base::Time::now());
  ASSERT_TRUE(ingest_->take_frame(agent_, curl_frame(2, 1)));
  EXPECT_EQ(alerts(), 1);
  event::Batch third = testing::batch_of(curl_frame(1, 1, "third"));
  prevalence->note("third", third, base::Time::now());
  ASSERT_TRUE(ingest_->take_frame(agent_, curl_frame(3, 1)));
  EXPECT_EQ(alerts(), 1);
  const auto found = [&] {
    const auto hunt = query::parse_hunt("prevalence.executable < 3 | fields event.sequence, prevalence.executable",
                                        base::Time::now());
    std::string rows;
    const auto result = store_->hunt(*hunt, {});
    for (const auto& row : result->rows) {
      rows += std::to_string(std::get<int64_t>(row[0])) + ":" + std::to_string(std::get<int64_t>(row[1])) + " ";
    }
    return rows;
  };
  EXPECT_EQ(found(), "2:2 1:1 ");
  prevalence.reset();
  close();  // the events come from the spool again, with what was known of them
  open();
  EXPECT_EQ(found(), "2:2 1:1 ");
  ASSERT_TRUE(store_->seal());
  EXPECT_EQ(found(), "2:2 1:1 ");
}

TEST_F(IngestTest, an_agent_says_nothing_of_how_common_things_are) {
  v1::Event event = process_event(1, 1, 0, "/usr/bin/curl");
  event.set_prevalence_executable(16);
  const auto refused = ingest_->take_frame(agent_, testing::frame_of({event}, agent_.host_id));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("prevalence.executable is for the node to say"), std::string::npos);
}

TEST_F(IngestTest, a_repeated_frame_shows_nothing_twice) {
  ASSERT_TRUE(ingest_->take_frame(agent_, curl_frame(1, 3)));
  ASSERT_TRUE(ingest_->take_frame(agent_, curl_frame(1, 3)));
  EXPECT_EQ(detections(), 3);
  EXPECT_EQ(store_->stats().events, 3u);
}

TEST_F(IngestTest, what_was_stored_but_not_judged_is_judged_at_start) {
  const event::Frame frame = curl_frame(1, 3);
  ASSERT_TRUE(store_->append(agent_.host_id, frame, testing::batch_of(frame)));
  close();
  open();
  ASSERT_TRUE(ingest_->replay());
  EXPECT_EQ(detections(), 3);
  connect();
  ASSERT_TRUE(ingest_->take_frame(agent_, frame));  // the agent heard no acknowledgement
  EXPECT_EQ(detections(), 3);
  EXPECT_EQ(alerts(), 3);
  EXPECT_EQ(store_->stats().events, 3u);
}

TEST_F(IngestTest, judged_frames_are_not_judged_again_into_new_alerts) {
  ASSERT_TRUE(ingest_->take_frame(agent_, curl_frame(1, 2)));
  const auto page = alerts_->list({}, 10, "");
  for (const Alert& alert : page->alerts) {
    ASSERT_TRUE(alerts_->change(std::to_string(alert.id), {.status = AlertStatus::closed}, "ann"));
  }
  close();
  open();
  ASSERT_TRUE(ingest_->replay());
  connect();
  ASSERT_TRUE(ingest_->take_frame(agent_, curl_frame(1, 2)));
  EXPECT_EQ(alerts(), 2);
}

TEST_F(IngestTest, malformed_frames_are_rejected_and_the_next_is_taken) {
  event::Frame torn = curl_frame(1, 3);
  torn.payload.resize(torn.payload.size() / 2);
  EXPECT_FALSE(ingest_->take_frame(agent_, torn));
  event::Frame garbage{.boot_id = "boot", .first_sequence = 1, .last_sequence = 1, .events = 1, .payload = "garbage"};
  garbage.checksum = event::frame_checksum(garbage.payload);
  EXPECT_FALSE(ingest_->take_frame(agent_, garbage));
  event::Frame wrong_range = curl_frame(1, 3);
  wrong_range.last_sequence = 900;
  EXPECT_EQ(ingest_->take_frame(agent_, wrong_range).error().code, Errc::invalid_argument);
  EXPECT_EQ(store_->stored_sequence(agent_.host_id, "boot"), 0u);
  EXPECT_TRUE(ingest_->take_frame(agent_, curl_frame(1, 3)));
}

TEST_F(IngestTest, an_agent_cannot_speak_for_another_host) {
  EXPECT_EQ(ingest_->take_frame(agent_, curl_frame(1, 3, "victim")).error().code, Errc::invalid_argument);
  EXPECT_EQ(store_->stats().events, 0u);
}

TEST_F(IngestTest, a_revoked_agent_is_refused) {
  ASSERT_TRUE(fleet_->revoke(agent_.host_id));
  EXPECT_EQ(ingest_->take_frame(agent_, curl_frame(1, 1)).error().code, Errc::permission_denied);
  EXPECT_EQ(ingest_->agent_connected(agent_, {}).error().code, Errc::permission_denied);
}

TEST_F(IngestTest, losses_are_counted_by_known_causes) {
  v1::Event loss = process_event(1, 1, 0, "/x");
  loss.set_event_type(v1::EVENT_TYPE_LOSS);
  loss.set_loss_cause("ring_bulk");
  loss.set_loss_count(7);
  v1::Event odd = loss;
  odd.set_event_sequence(2);
  odd.set_loss_cause("x\"} 1\n");
  ASSERT_TRUE(ingest_->take_frame(agent_, testing::frame_of({loss, odd}, agent_.host_id)));
  const std::string text = metrics_.expose();
  EXPECT_NE(text.find("redoubt_events_lost_total{cause=\"ring_bulk\"} 7"), std::string::npos) << text;
  EXPECT_NE(text.find("redoubt_events_lost_total{cause=\"other\"} 7"), std::string::npos);
}

// An agent that comes back is asked for what was stored and not judged, though it is stored.
TEST_F(IngestTest, what_could_not_be_judged_is_asked_for_again) {
  ASSERT_TRUE(ingest_->take_frame(agent_, curl_frame(1, 3)));
  const auto rename = [&](const std::string& from, const std::string& to) {
    return state_->write([&](soci::session& sql) -> Status {
      sql << "ALTER TABLE " + from + " RENAME TO " + to;
      return {};
    });
  };
  ASSERT_TRUE(rename("detections", "gone"));
  EXPECT_EQ(ingest_->take_frame(agent_, curl_frame(4, 3)).error().code, Errc::unavailable);
  EXPECT_EQ(store_->stored_sequence(agent_.host_id, "boot"), 6U);
  ingest_->agent_disconnected(agent_);
  EXPECT_EQ(ingest_->agent_connected(agent_, {.boot_id = "boot"}).value(), 3U);
  ASSERT_TRUE(rename("gone", "detections"));
  ASSERT_TRUE(ingest_->take_frame(agent_, curl_frame(4, 3)));
  EXPECT_EQ(detections(), 6);
  ingest_->agent_disconnected(agent_);
  EXPECT_EQ(ingest_->agent_connected(agent_, {.boot_id = "boot"}).value(), 6U);
}

TEST_F(IngestTest, rules_are_replaced_between_frames_and_keep_their_counters) {
  ASSERT_TRUE(ingest_->take_frame(agent_, curl_frame(1, 3)));
  EXPECT_EQ(detections(), 3);
  EXPECT_EQ(judge_->counters()["curl"].matched, 3U);
  RuleDecisions off;
  off["curl"].state = RuleSwitch::off;
  ASSERT_TRUE(judge_->replace(RuleSnapshot::make(rules_->shared_files(), off, {}, base::Time::now())));
  ASSERT_TRUE(ingest_->take_frame(agent_, curl_frame(4, 3)));
  EXPECT_EQ(detections(), 3);
  off["curl"] = {.state = RuleSwitch::on, .importance = rules::Importance::low, .changed_by = "", .changed = {}};
  ASSERT_TRUE(judge_->replace(RuleSnapshot::make(rules_->shared_files(), off, {}, base::Time::now())));
  ASSERT_TRUE(ingest_->take_frame(agent_, curl_frame(7, 1)));
  EXPECT_EQ(detections(), 4);
  EXPECT_EQ(judge_->counters()["curl"].matched, 4U);
  EXPECT_EQ(judge_->counters()["curl"].evaluated, 4U);
  EXPECT_GT(alerts_->hits().value()["curl"].last.us, 0);
  const AlertPage page = alerts_->list({.importances = {rules::Importance::low}}, 10, "").value();
  EXPECT_EQ(page.alerts.size(), 1U) << "an alert has the importance that its rule had then";
}

}  // namespace
}  // namespace redoubt::central
