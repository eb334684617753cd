// The object door with a real SQLite database, a real object store and real jailed workers.
#include "central/objects/object_service.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#include "base/file.h"
#include "base/hash.h"
#include "central/objects/object_rows.h"
#include "central/objects/verdict_rows.h"

namespace redoubt::central {
namespace {

std::string eicar_object() {
  return std::string("X5O!P%@AP[4\\PZX54(P^)7CC)7}") + "$EICAR-STANDARD-" + "ANTIVIRUS-TEST-FILE!$H+H*";
}

// Keeps what it is told; the same key twice is one detection, as the real book has it.
class KeptAlerts final : public AlertSink {
 public:
  Result<std::string> add(const NewDetection& detection) override {
    const std::lock_guard lock(mutex_);
    if (fail_next_ > 0) {
      --fail_next_;
      return fail(Errc::exhausted, "no room for the alert");
    }
    detections_.emplace(detection.key, detection);
    return "alert-" + detection.object.sha256.substr(0, 4);
  }
  void fail_next(int count) {
    const std::lock_guard lock(mutex_);
    fail_next_ = count;
  }
  std::map<std::string, NewDetection> kept() {
    const std::lock_guard lock(mutex_);
    return detections_;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, NewDetection> detections_;
  int fail_next_ = 0;
};

class ObjectServiceTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::array migrations = {
        store::Migration{.version = 1, .name = "objects", .sql = kObjectsMigration},
        store::Migration{.version = 2, .name = "object verdicts", .sql = kObjectVerdictsMigration},
        store::Migration{.version = 3, .name = "reputation", .sql = kReputationMigration},
        store::Migration{.version = 4, .name = "yara settings", .sql = kYaraSettingsMigration}};
    auto state = store::open_sqlite_state(directory_ / "state.db", migrations);
    ASSERT_TRUE(state) << state.error().message;
    state_ = *std::move(state);
    auto reputation = ReputationBook::open(*state_);
    ASSERT_TRUE(reputation) << reputation.error().message;
    reputation_ = *std::move(reputation);
    auto settings = YaraSettings::open(*state_);
    ASSERT_TRUE(settings) << settings.error().message;
    yara_settings_ = *std::move(settings);
    auto objects = store::open_object_store(
        {.directory = directory_ / "objects", .object_bytes_max = size_t{1} << 20, .free_bytes_min = 0});
    ASSERT_TRUE(objects) << objects.error().message;
    objects_ = *std::move(objects);
    auto pool = scan::start_scan_pool(
        {.worker_program = REDOUBT_BUILD_DIR "/bin/redoubt-scan", .yara_directory = rules_, .workers = 2});
    ASSERT_TRUE(pool) << pool.error().message;
    pool_ = *std::move(pool);
  }

  std::unique_ptr<ObjectService> start(size_t queue_objects_max = 100) {
    auto service = start_object_service({.state = *state_,
                                         .objects = *objects_,
                                         .scanner = *pool_,
                                         .reputation = *reputation_,
                                         .yara_settings = *yara_settings_,
                                         .alerts = alerts_,
                                         .metrics = metrics_},
                                        {.queue_objects_max = queue_objects_max, .scan_threads = 2});
    CHECK(service);
    return *std::move(service);
  }

  static Result<Object> submit(ObjectService& service, std::string_view content, const std::string& name) {
    TRY(const auto submission, service.begin({.name = name, .source = ObjectSource::console, .submitted_by = "admin"}));
    TRY_STATUS(submission->write(content));
    return submission->finish();
  }

  base::TempDir directory_;
  std::string rules_ = REDOUBT_SOURCE_DIR "/rules/yara";
  base::Metrics metrics_;
  KeptAlerts alerts_;
  std::unique_ptr<store::StateDb> state_;
  std::unique_ptr<ReputationBook> reputation_;
  std::unique_ptr<YaraSettings> yara_settings_;
  std::unique_ptr<store::ObjectStore> objects_;
  std::unique_ptr<scan::ScanPool> pool_;
};

TEST_F(ObjectServiceTest, eicar_becomes_a_detection_and_an_alert) {
  const auto service = start();
  const auto submitted = submit(*service, eicar_object(), "invoice.com");
  ASSERT_TRUE(submitted) << submitted.error().message;
  EXPECT_EQ(submitted->verdict, scan::Verdict::processing);
  EXPECT_EQ(submitted->size_bytes, 68U);
  const auto judged = service->get(submitted->id, kObjectWaitMsMax);
  ASSERT_TRUE(judged) << judged.error().message;
  EXPECT_EQ(judged->verdict, scan::Verdict::detect);
  EXPECT_EQ(judged->name, "invoice.com");
  EXPECT_EQ(judged->submitted_by, "admin");
  EXPECT_EQ(judged->source, ObjectSource::console);
  EXPECT_EQ(judged->sha256, submitted->sha256);
  ASSERT_TRUE(judged->report);
  ASSERT_EQ(judged->report->detections.size(), 1U);
  EXPECT_EQ(judged->report->detections[0].rule, "EICAR_Test_File");
  EXPECT_FALSE(judged->report->detections[0].engine_version.empty());
  EXPECT_EQ(judged->report->mime_type, "text/plain");
  EXPECT_GT(judged->report->finished, judged->submitted);
  EXPECT_EQ(judged->alert_id, "alert-" + judged->sha256.substr(0, 4));
  const auto kept = alerts_.kept();
  ASSERT_EQ(kept.size(), 1U);
  const NewDetection& detection = kept.begin()->second;
  EXPECT_EQ(detection.source, AlertSource::object);
  EXPECT_EQ(detection.rule.id, "yara:EICAR_Test_File");
  EXPECT_EQ(detection.rule.title, "EICAR anti-virus test file");
  EXPECT_EQ(detection.importance, rules::Importance::high);
  EXPECT_EQ(detection.user, "admin");
  EXPECT_EQ(detection.object.id, judged->id);
}

TEST_F(ObjectServiceTest, clean_object_is_not_detected_and_makes_no_alert) {
  const auto service = start();
  const auto submitted = submit(*service, "good morning\n", "note.txt");
  ASSERT_TRUE(submitted);
  const auto judged = service->get(submitted->id, kObjectWaitMsMax);
  ASSERT_TRUE(judged);
  EXPECT_EQ(judged->verdict, scan::Verdict::not_detected);
  EXPECT_TRUE(judged->alert_id.empty());
  EXPECT_TRUE(alerts_.kept().empty());
  EXPECT_EQ(service->queued(), 0U);
  for (const char* part : {R"(part="yara")", R"(part="unpack")"}) {
    EXPECT_GT(metrics_.counter("redoubt_scan_cpu_nanoseconds_total", "", part).value(), 0) << part;
  }
}

TEST_F(ObjectServiceTest, what_was_processing_at_the_last_stop_is_judged_after_the_start) {
  std::string id;
  {
    auto writer = objects_->begin();
    ASSERT_TRUE(writer);
    ASSERT_TRUE((*writer)->write(eicar_object()));
    const auto stored = (*writer)->commit();
    ASSERT_TRUE(stored);
    Object object{.name = "left", .sha256 = stored->sha256, .size_bytes = 68, .submitted = base::Time::now()};
    ASSERT_TRUE(state_->write([&](soci::session& sql) -> Status {
      insert_object(sql, object, 0);
      return {};
    }));
    id = object.id;
  }
  const auto service = start();
  const auto judged = service->get(id, kObjectWaitMsMax);
  ASSERT_TRUE(judged);
  EXPECT_EQ(judged->verdict, scan::Verdict::detect);
}

TEST_F(ObjectServiceTest, a_content_that_these_engines_let_pass_is_answered_at_once) {
  const auto service = start();
  const auto first = submit(*service, "well known", "a.txt");
  ASSERT_EQ(service->get(first->id, kObjectWaitMsMax)->verdict, scan::Verdict::not_detected);
  const auto again = submit(*service, "well known", "a.txt");
  ASSERT_TRUE(again);
  EXPECT_EQ(again->verdict, scan::Verdict::not_detected);
  EXPECT_NE(again->id, first->id);
  EXPECT_EQ(service->get(again->id, 0)->report->mime_type, "text/plain");
  // Rules may ask for the name.
  EXPECT_EQ(submit(*service, "well known", "b.txt")->verdict, scan::Verdict::processing);
}

TEST_F(ObjectServiceTest, who_hands_in_what_is_known_as_bad_has_an_alert_of_its_own_detection) {
  const auto service = start();
  for (int i = 0; i < 3; ++i) {
    const auto submitted = submit(*service, eicar_object(), "same.com");
    ASSERT_EQ(service->get(submitted->id, kObjectWaitMsMax)->verdict, scan::Verdict::detect);
  }
  EXPECT_EQ(alerts_.kept().size(), 3U);
}

// The rules of a test that changes them.
class RetroScanTest : public ObjectServiceTest {
 protected:
  void SetUp() override {
    rules_ = directory_ / "rules";
    ASSERT_TRUE(base::make_directories(rules_));
    write_rule("first", "abracadabra");
    ObjectServiceTest::SetUp();
  }
  void write_rule(const std::string& name, const std::string& word) {
    ASSERT_TRUE(base::write_file_atomic(rules_ + "/" + name + ".yar",
                                        "rule " + name + " { strings: $w = \"" + word + "\" condition: $w }", 0600));
  }
  std::optional<Object> wait_for(ObjectService& service, const std::string& id, scan::Verdict verdict) {
    for (int i = 0; i < 300; ++i) {
      auto object = service.get(id, 0);
      if (object && object->verdict == verdict) return *object;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return std::nullopt;
  }
};

TEST_F(RetroScanTest, new_rules_judge_what_older_ones_let_pass) {
  const auto service = start();
  std::vector<std::string> ids;
  for (const char* who : {"anna", "boris"}) {
    auto submission = service->begin({.name = "spell.txt", .submitted_by = who});
    ASSERT_TRUE((*submission)->write("open sesame"));
    ids.push_back((*submission)->finish()->id);
  }
  for (const std::string& id : ids) {
    ASSERT_EQ(service->get(id, kObjectWaitMsMax)->verdict, scan::Verdict::not_detected);
  }
  write_rule("second", "sesame");
  ASSERT_TRUE(service->reload_engines());
  for (const std::string& id : ids) {
    const auto object = wait_for(*service, id, scan::Verdict::detect);
    ASSERT_TRUE(object);
    EXPECT_GT(object->rescanned.us, 0);
    EXPECT_FALSE(object->alert_id.empty());
  }
  const auto kept = alerts_.kept();
  ASSERT_EQ(kept.size(), 1U);
  const NewDetection& detection = kept.begin()->second;
  EXPECT_EQ(detection.source, AlertSource::rescan);
  EXPECT_EQ(detection.rule.id, "yara:second");
  EXPECT_NE(detection.message.find("anna"), std::string::npos) << detection.message;
  EXPECT_NE(detection.message.find("boris"), std::string::npos) << detection.message;
}

TEST_F(RetroScanTest, what_new_rules_see_as_before_is_theirs_without_an_alert) {
  const auto service = start();
  const auto submitted = submit(*service, "nothing special", "a.txt");
  ASSERT_EQ(service->get(submitted->id, kObjectWaitMsMax)->verdict, scan::Verdict::not_detected);
  write_rule("second", "sesame");
  ASSERT_TRUE(service->reload_engines());
  bool known = false;
  for (int i = 0; i < 300 && !known; ++i) {
    known = submit(*service, "nothing special", "a.txt")->verdict == scan::Verdict::not_detected;
  }
  EXPECT_TRUE(known);
  EXPECT_TRUE(alerts_.kept().empty());
}

TEST_F(RetroScanTest, a_rule_that_is_gone_takes_its_verdict_back) {
  const auto service = start();
  const auto submitted = submit(*service, "abracadabra", "a.txt");
  ASSERT_EQ(service->get(submitted->id, kObjectWaitMsMax)->verdict, scan::Verdict::detect);
  write_rule("first", "something else");
  ASSERT_TRUE(service->reload_engines());
  EXPECT_TRUE(wait_for(*service, submitted->id, scan::Verdict::not_detected));
}

TEST_F(RetroScanTest, a_list_that_comes_later_names_what_was_let_pass) {
  const auto service = start();
  const auto submitted = submit(*service, "quite harmless", "a.txt");
  ASSERT_EQ(service->get(submitted->id, kObjectWaitMsMax)->verdict, scan::Verdict::not_detected);
  ASSERT_TRUE(reputation_->import("feed", Reputation::bad, submitted->sha256 + " # Trojan.Own"));
  ASSERT_TRUE(service->reload_engines());
  const auto object = wait_for(*service, submitted->id, scan::Verdict::detect);
  ASSERT_TRUE(object);
  ASSERT_EQ(object->report->detections.size(), 1U);
  EXPECT_EQ(object->report->detections[0].engine, "reputation");
  EXPECT_EQ(object->report->detections[0].rule, "Trojan.Own");
  EXPECT_EQ(object->report->detections[0].rule_set, "feed");
  ASSERT_TRUE(reputation_->remove_source("feed"));
  ASSERT_TRUE(service->reload_engines());
  EXPECT_TRUE(wait_for(*service, submitted->id, scan::Verdict::not_detected));
}

TEST_F(ObjectServiceTest, engines_that_agree_raise_the_alert) {
  const auto service = start();
  ASSERT_TRUE(reputation_->import("feed", Reputation::bad, base::sha256_hex(eicar_object())));
  const auto submitted = submit(*service, eicar_object(), "a.com");
  const auto judged = service->get(submitted->id, kObjectWaitMsMax);
  ASSERT_EQ(judged->report->detections.size(), 2U);
  const auto kept = alerts_.kept();
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(kept.begin()->second.importance, rules::Importance::critical);
  EXPECT_EQ(kept.begin()->second.rule.format, "combined");
}

TEST_F(ObjectServiceTest, what_a_person_calls_good_is_asked_of_no_engine) {
  const auto service = start();
  const auto hash = read_indicator(base::sha256_hex(eicar_object()));
  ASSERT_TRUE(reputation_->add(*hash, Reputation::good, "our own test file", "admin"));
  const auto submitted = submit(*service, eicar_object(), "a.com");
  const auto judged = service->get(submitted->id, kObjectWaitMsMax);
  EXPECT_EQ(judged->verdict, scan::Verdict::not_detected);
  EXPECT_EQ(judged->report->engines, std::vector<std::string>{"reputation: good, says manual"});
}

TEST_F(RetroScanTest, a_rule_that_is_off_detects_nothing_until_it_is_on_again) {
  const auto service = start();
  const auto submitted = submit(*service, "abracadabra", "a.txt");
  ASSERT_EQ(service->get(submitted->id, kObjectWaitMsMax)->verdict, scan::Verdict::detect);
  ASSERT_EQ(pool_->rules().size(), 1U);
  EXPECT_EQ(pool_->rules()[0].name, "first");
  ASSERT_TRUE(yara_settings_->set("first", {.state = RuleSwitch::off, .changed_by = "anna"}));
  EXPECT_TRUE(wait_for(*service, submitted->id, scan::Verdict::not_detected));
  ASSERT_TRUE(yara_settings_->set("first", {.importance = rules::Importance::critical}));
  const auto object = wait_for(*service, submitted->id, scan::Verdict::detect);
  ASSERT_TRUE(object);
  EXPECT_EQ(object->report->detections[0].importance, "critical");
}

TEST_F(ObjectServiceTest, objects_are_found_by_name_content_sender_and_verdict) {
  const auto service = start();
  const auto bad = submit(*service, eicar_object(), "bad.com");
  const auto good = submit(*service, "good", "good.txt");
  ASSERT_EQ(service->get(bad->id, kObjectWaitMsMax)->verdict, scan::Verdict::detect);
  ASSERT_EQ(service->get(good->id, kObjectWaitMsMax)->verdict, scan::Verdict::not_detected);
  const auto found = [&](const ObjectFilter& filter) {
    std::string names;
    const auto page = service->list(filter, 10, "");
    for (const Object& object : page->objects) names += object.name + " ";
    return names;
  };
  EXPECT_EQ(found({.name = "good.txt"}), "good.txt ");
  EXPECT_EQ(found({.sha256 = bad->sha256}), "bad.com ");
  EXPECT_EQ(found({.submitted_by = "admin", .verdict = scan::Verdict::detect}), "bad.com ");
  EXPECT_EQ(found({.submitted_by = "nobody"}), "");
}

TEST_F(ObjectServiceTest, alert_that_cannot_be_kept_is_tried_again) {
  alerts_.fail_next(1);
  const auto service = start();
  const auto submitted = submit(*service, eicar_object(), "again");
  ASSERT_TRUE(submitted);
  const auto judged = service->get(submitted->id, kObjectWaitMsMax);
  ASSERT_TRUE(judged);
  EXPECT_EQ(judged->verdict, scan::Verdict::detect);
  EXPECT_EQ(alerts_.kept().size(), 1U);
}

TEST_F(ObjectServiceTest, full_queue_refuses_until_there_is_room) {
  const auto service = start(1);
  auto first = service->begin({.name = "open"});
  ASSERT_TRUE(first);
  const auto second = service->begin({.name = "second"});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::exhausted);
  first->reset();
  EXPECT_TRUE(service->begin({.name = "third"}));
}

TEST_F(ObjectServiceTest, object_past_the_limit_is_refused_and_leaves_nothing) {
  const auto service = start();
  const auto submission = service->begin({.name = "big"});
  ASSERT_TRUE(submission);
  Status written;
  for (int i = 0; i < 64 && written; ++i) written = (*submission)->write(std::string(64 << 10, 'x'));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, Errc::too_large);
  EXPECT_TRUE(service->list({}, 10, "")->objects.empty());
}

TEST_F(ObjectServiceTest, list_pages_newest_first) {
  const auto service = start();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(submit(*service, "object " + std::to_string(i), std::to_string(i)));
  const auto first = service->list({}, 3, "");
  ASSERT_TRUE(first);
  ASSERT_EQ(first->objects.size(), 3U);
  EXPECT_EQ(first->objects[0].name, "4");
  ASSERT_FALSE(first->next_cursor.empty());
  const auto second = service->list({}, 3, first->next_cursor);
  ASSERT_TRUE(second);
  ASSERT_EQ(second->objects.size(), 2U);
  EXPECT_EQ(second->objects[1].name, "0");
  EXPECT_TRUE(second->next_cursor.empty());
  EXPECT_EQ(service->list({}, 0, "").error().code, Errc::invalid_argument);
  EXPECT_EQ(service->list({}, 3, "x").error().code, Errc::invalid_argument);
}

TEST_F(ObjectServiceTest, large_reports_make_short_pages) {
  const auto service = start();
  scan::ScanReport large{.verdict = scan::Verdict::not_detected};
  large.links.assign(200, std::string(20'000, 'x'));
  for (int i = 0; i < 5; ++i) {
    Object object{.name = std::to_string(i), .sha256 = "s", .verdict = large.verdict};
    ASSERT_TRUE(state_->write([&](soci::session& sql) -> Status {
      const long long verdict = insert_verdict(sql, {.content = {"s", object.name}, .report = large});
      insert_object(sql, object, verdict);
      return {};
    }));
  }
  size_t pages = 0, objects = 0;
  std::string cursor;
  do {
    const auto page = service->list({}, 500, cursor);
    ASSERT_TRUE(page) << page.error().message;
    objects += page->objects.size();
    cursor = page->next_cursor;
    ++pages;
  } while (!cursor.empty());
  EXPECT_EQ(objects, 5U);
  EXPECT_EQ(pages, 2U);
}

TEST_F(ObjectServiceTest, unknown_ids_and_waits_are_refused) {
  const auto service = start();
  EXPECT_EQ(service->get("77", 0).error().code, Errc::not_found);
  EXPECT_EQ(service->get("nonsense", 0).error().code, Errc::not_found);
  EXPECT_EQ(service->get("1", kObjectWaitMsMax + 1).error().code, Errc::invalid_argument);
}

TEST_F(ObjectServiceTest, hostile_names_are_cleaned) {
  const auto service = start();
  const auto submitted = submit(*service, "x", std::string("a\nb\xff") + '\0' + std::string(5000, 'y'));
  ASSERT_TRUE(submitted);
  EXPECT_TRUE(submitted->name.starts_with("a?b\\xFF?yyy") || submitted->name.starts_with("a?b\\xff?yyy"))
      << submitted->name.substr(0, 20);
  EXPECT_LE(submitted->name.size(), 600U);
  EXPECT_EQ(submit(*service, "x", "")->name, "unnamed");
}

std::vector<pid_t> scan_workers() {
  std::vector<pid_t> pids;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream list(task.path() / "children");
    for (pid_t pid = 0; list >> pid;) pids.push_back(pid);
  }
  return pids;
}

// REDOUBT_KILLS: how many; the long form is 1,000.
TEST_F(ObjectServiceTest, workers_that_are_killed_under_load_lose_no_object) {
  const char* const wanted = std::getenv("REDOUBT_KILLS");
  const int kills_wanted = wanted != nullptr ? std::atoi(wanted) : 40;
  const auto service = start(1000);
  std::atomic<bool> over = false;
  std::mutex mutex;
  std::vector<std::string> ids;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 2; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; !over; ++i) {
        const std::string content = std::string(20'000, 'x') + std::to_string(thread) + "/" + std::to_string(i);
        const auto object = submit(*service, content, "load.txt");
        if (object) {
          const std::lock_guard lock(mutex);
          ids.push_back(object->id);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(object ? 5 : 50));
      }
    });
  }
  std::mt19937 random(7);
  int kills = 0;
  while (kills < kills_wanted) {
    const auto pids = scan_workers();
    if (!pids.empty() && kill(pids[random() % pids.size()], SIGKILL) == 0) ++kills;
    // A worker that is killed at its start each time would only ever rest.
    std::this_thread::sleep_for(std::chrono::milliseconds(130 + random() % 120));
  }
  over = true;
  for (std::thread& thread : threads) thread.join();
  size_t judged = 0, errors = 0;
  for (const std::string& id : ids) {
    std::optional<Object> object;
    for (int i = 0; i < 20 && (!object || object->verdict == scan::Verdict::processing); ++i) {
      object = *service->get(id, kObjectWaitMsMax);
    }
    if (object->verdict == scan::Verdict::not_detected) ++judged;
    if (object->verdict == scan::Verdict::error) ++errors;
  }
  EXPECT_EQ(judged + errors, ids.size());
  EXPECT_LT(errors, ids.size() / 10 + 1);
  std::printf("%d kills, %zu objects: %zu judged, %zu errors\n", kills, ids.size(), judged, errors);
}

TEST_F(ObjectServiceTest, stop_ends_a_wait) {
  alerts_.fail_next(1'000'000);
  const auto service = start();
  const auto submitted = submit(*service, eicar_object(), "never");
  ASSERT_TRUE(submitted);
  std::thread waiter([&] { (void)service->get(submitted->id, kObjectWaitMsMax); });
  service->stop();
  waiter.join();
  EXPECT_EQ(service->get(submitted->id, 0)->verdict, scan::Verdict::processing);
}

}  // namespace
}  // namespace redoubt::central
