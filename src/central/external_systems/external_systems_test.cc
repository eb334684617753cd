// The book of external systems, their limits, their scans and the log of detections, over a real SQLite database.
#include "central/external_systems/external_systems.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "central/external_systems/detect_log.h"
#include "central/external_systems/scan_book.h"
#include "central/external_systems/submission_limits.h"
#include "central/state_schema.h"

namespace redoubt::central {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr base::Time kNow{1'000'000 * base::kSecondUs};

base::Time later(int64_t us) { return {kNow.us + us}; }

class ExternalSystemsTest : public testing::Test {
 protected:
  ExternalSystemsTest() : state_(store::open_sqlite_state(directory_ / "state.db", state_migrations()).value()) {
    book_ = ExternalSystems::open(*state_).value();
  }
  std::string refusal(const SystemClaim& claim, base::Time now = kNow) {
    const Status admitted = book_->admit(claim, now);
    if (admitted) return "";
    EXPECT_EQ(admitted.error().code, Errc::unauthenticated) << admitted.error().message;
    return admitted.error().message;
  }
  Result<ExternalSystem> decide(int64_t id, SystemState state) {
    return book_->decide(id, {.state = state, .name = "gateway", .by = "admin"});
  }
  std::vector<std::string> listed() const {
    std::vector<std::string> rows;
    for (const ExternalSystem& system : book_->list()) {
      rows.push_back(system.system_id + " " + system.fingerprint + " " + std::string(name_of(system.state)));
    }
    return rows;
  }

  base::TempDir directory_;
  std::unique_ptr<store::StateDb> state_;
  std::unique_ptr<ExternalSystems> book_;
};

TEST_F(ExternalSystemsTest, only_the_approved_pair_is_admitted) {
  const SystemClaim claim{.system_id = "a", .fingerprint = "f1", .address = "10.0.0.1"};
  EXPECT_THAT(refusal(claim), HasSubstr("f1"));
  EXPECT_THAT(refusal(claim), HasSubstr("approve"));
  const int64_t id = book_->list()[0].id;
  EXPECT_EQ(decide(id, SystemState::approved)->decided_by, "admin");
  EXPECT_EQ(refusal(claim), "");
  EXPECT_NE(refusal({.system_id = "b", .fingerprint = "f1", .address = "10.0.0.1"}), "");
  EXPECT_NE(refusal({.system_id = "a", .fingerprint = "f2", .address = "10.0.0.1"}), "");
  EXPECT_THAT(listed(), ElementsAre("b f1 pending", "a f2 pending", "a f1 approved"));
  ASSERT_TRUE(decide(id, SystemState::rejected));
  EXPECT_THAT(refusal(claim), HasSubstr("rejected"));
  ASSERT_TRUE(book_->remove(id));
  EXPECT_THAT(refusal(claim), HasSubstr("new"));
  EXPECT_EQ(book_->remove(id).error().code, Errc::not_found);
  EXPECT_EQ(decide(id, SystemState::approved).error().code, Errc::not_found);
}

TEST_F(ExternalSystemsTest, a_restart_changes_nothing) {
  refusal({.system_id = "a", .fingerprint = "f1", .address = "10.0.0.1"});
  ASSERT_TRUE(decide(book_->list()[0].id, SystemState::approved));
  ASSERT_TRUE(book_->admit({.system_id = "a", .fingerprint = "f1", .address = "10.0.0.2"}, later(5)));
  ASSERT_TRUE(book_->save_seen());
  book_ = ExternalSystems::open(*state_).value();
  const ExternalSystem system = book_->list().at(0);
  EXPECT_EQ(system.state, SystemState::approved);
  EXPECT_EQ(system.name, "gateway");
  EXPECT_EQ(system.address, "10.0.0.2");
  EXPECT_EQ(system.first_seen, kNow);
  EXPECT_EQ(system.last_seen, later(5));
}

TEST_F(ExternalSystemsTest, ids_that_are_none_are_not_written_down) {
  for (const std::string& id : {std::string(), std::string(65, 'x'), std::string("a b"), std::string("ü"),
                                std::string("a/b"), std::string("a\nb")}) {
    EXPECT_THAT(refusal({.system_id = id, .fingerprint = "f", .address = "10.0.0.1"}), HasSubstr("UUID")) << id;
  }
  EXPECT_THAT(listed(), IsEmpty());
}

TEST_F(ExternalSystemsTest, one_sender_cannot_fill_it) {
  for (size_t i = 0; i < 2 * kPendingOfSenderMax; ++i) {
    refusal({.system_id = std::to_string(i), .fingerprint = "f", .address = "fd00::" + std::to_string(i)});
  }
  EXPECT_THAT(listed(), SizeIs(kPendingOfSenderMax));
  refusal({.system_id = "another", .fingerprint = "f", .address = "10.0.0.1"});
  EXPECT_THAT(listed(), SizeIs(kPendingOfSenderMax + 1));
}

TEST_F(ExternalSystemsTest, past_the_limit_the_one_that_was_silent_longest_goes) {
  const SystemClaim first{.system_id = "first", .fingerprint = "f", .address = "10.0.0.1"};
  refusal(first, later(0));
  for (size_t i = 1; i < kPendingSystemsMax; ++i) {
    refusal({.system_id = std::to_string(i),
             .fingerprint = "f",
             .address = "10.1." + std::to_string(i / 250) + "." + std::to_string(i % 250)},
            later(static_cast<int64_t>(i)));
  }
  refusal(first, later(5000));
  refusal({.system_id = "last", .fingerprint = "f", .address = "10.0.0.1"}, later(6000));
  const auto rows = listed();
  EXPECT_THAT(rows, SizeIs(kPendingSystemsMax));
  EXPECT_THAT(rows, testing::Contains("first f pending"));
  EXPECT_THAT(rows, testing::Not(testing::Contains("1 f pending")));
}

TEST(SubmissionLimits, hold_for_each_system) {
  SubmissionLimits limits({.open_max = 2, .per_minute_max = 3});
  auto one = limits.take("a", kNow);
  auto two = limits.take("a", kNow);
  EXPECT_EQ(limits.take("a", kNow).error().code, Errc::exhausted);
  EXPECT_TRUE(limits.take("b", kNow));
  one->reset();
  EXPECT_TRUE(limits.take("a", kNow)) << "the third of its minute";
  EXPECT_THAT(limits.take("a", kNow).error().message, HasSubstr("within a minute"));
  EXPECT_TRUE(limits.take("a", later(21 * base::kSecondUs))) << "a third of a minute gives one";
  EXPECT_FALSE(limits.take("a", later(22 * base::kSecondUs)));
}

// Objects as a test says they are.
class SaidObjects final : public ObjectService {
 public:
  Result<std::unique_ptr<Submission>> begin(SubmitOptions) override { return fail(Errc::unsupported, "no"); }
  Result<Object> get(const std::string& id, int64_t) override {
    const auto found = verdicts.find(id);
    if (found == verdicts.end()) return fail(Errc::not_found, "no such object");
    Object object;
    object.id = id;
    object.verdict = found->second;
    return object;
  }
  Result<ObjectPage> list(const ObjectFilter&, size_t, const std::string&) override { return ObjectPage{}; }
  Result<base::UniqueFd> content(const std::string&) override { return fail(Errc::not_found, "no content"); }
  Status remove_content(const std::string&) override { return {}; }
  Status rescan(const std::string&) override { return {}; }
  Status reload_engines() override { return {}; }
  size_t queued() const override { return 0; }
  void stop() override {}

  std::map<std::string, scan::Verdict> verdicts;
};

class ScanBookTest : public ExternalSystemsTest {
 protected:
  Status add(const std::string& system, const std::string& instance, const std::string& id) {
    return book_of_scans_.add({.name = {system, instance, id}, .object_id = id, .sha256 = "s"});
  }
  std::string states(const ScanName& name) {
    std::string text;
    const auto found = book_of_scans_.find(name).value();
    for (const ExternalScan& scan : found) {
      text += scan.name.scan_id + ":" + std::string(scan::name_of(scan.state)) + " ";
    }
    return text;
  }

  SaidObjects objects_;
  ScanBook book_of_scans_{*state_, objects_};
};

TEST_F(ScanBookTest, states_follow_objects_until_they_are_final) {
  ASSERT_TRUE(add("a", "", "1"));
  ASSERT_TRUE(add("a", "x", "2"));
  objects_.verdicts = {{"1", scan::Verdict::processing}, {"2", scan::Verdict::detect}};
  EXPECT_EQ(states({.system_id = "a"}), "1:processing 2:detect ");
  objects_.verdicts = {{"1", scan::Verdict::not_detected}};
  EXPECT_EQ(states({.system_id = "a"}), "1:not detected 2:detect ");
  objects_.verdicts.clear();
  EXPECT_EQ(states({.system_id = "a"}), "1:not detected 2:detect ");
  ASSERT_TRUE(add("a", "", "3"));
  EXPECT_EQ(states({.system_id = "a", .scan_id = "3"}), "3:error ") << "an object that is gone";
}

TEST_F(ScanBookTest, systems_and_instances_are_apart) {
  ASSERT_TRUE(add("a", "x", "1"));
  ASSERT_TRUE(add("a", "y", "1"));
  ASSERT_TRUE(add("b", "x", "1"));
  EXPECT_EQ(add("a", "x", "1").error().code, Errc::already_exists);
  EXPECT_EQ(add("a", "", "1").error().code, Errc::already_exists);
  EXPECT_EQ(book_of_scans_.find({.system_id = "a"})->size(), 2U);
  EXPECT_EQ(book_of_scans_.find({.system_id = "a", .instance = "y"})->size(), 1U);
  EXPECT_EQ(book_of_scans_.remove({.system_id = "a", .instance = "y", .scan_id = "1"}).value(), 1U);
  EXPECT_EQ(book_of_scans_.remove({.system_id = "a"}).value(), 1U);
  EXPECT_EQ(book_of_scans_.find({.system_id = "b"})->size(), 1U);
}

TEST_F(ScanBookTest, old_ones_are_forgotten) {
  ASSERT_TRUE(add("a", "", "1"));
  ASSERT_TRUE(book_of_scans_.forget_old(base::Time::now()));
  EXPECT_EQ(book_of_scans_.find({.system_id = "a"})->size(), 1U);
  ASSERT_TRUE(book_of_scans_.forget_old({base::Time::now().us + kScanAgeUsMax + base::kSecondUs}));
  EXPECT_TRUE(book_of_scans_.find({.system_id = "a"})->empty());
}

class SaidAlerts final : public AlertSink {
 public:
  Result<std::string> add(const NewDetection&) override {
    return broken ? Result<std::string>(fail(Errc::io, "broken")) : Result<std::string>("7");
  }
  bool broken = false;
};

class DetectLogTest : public ExternalSystemsTest {
 protected:
  static NewDetection found(const std::string& object, const std::string& engine) {
    NewDetection detection;
    detection.source = AlertSource::object;
    detection.object.id = object;
    detection.object.engines = {engine};
    return detection;
  }
  std::string after(int64_t number, std::vector<std::string> technologies = {}, size_t limit = 100) {
    std::string text;
    const auto logged = log_.after(number, technologies, limit).value();
    for (const LoggedDetect& detect : logged) {
      text += std::to_string(detect.number) + ":" + detect.object_id + "/" + detect.technology + " ";
    }
    return text;
  }

  SaidAlerts alerts_;
  std::unique_ptr<store::ObjectStore> content_ =
      store::open_object_store({.directory = directory_.path(), .free_bytes_min = 0}).value();
  DetectLog log_{*state_, alerts_, *content_};
};

TEST_F(DetectLogTest, numbers_each_object_and_technology_once) {
  EXPECT_EQ(log_.add(found("1", "yara")).value(), "7");
  EXPECT_EQ(log_.add(found("1", "yara")).value(), "7");
  ASSERT_TRUE(log_.add(found("1", "clamav")));
  ASSERT_TRUE(log_.add(found("2", "yara")));
  NewDetection of_a_rule = found("3", "sigma");
  of_a_rule.source = AlertSource::rule;
  of_a_rule.object = {};
  ASSERT_TRUE(log_.add(of_a_rule));
  EXPECT_EQ(after(0), "1:1/yara 2:1/am 3:2/yara ");
  EXPECT_EQ(after(1), "2:1/am 3:2/yara ");
  EXPECT_EQ(after(0, {"yara"}), "1:1/yara 3:2/yara ");
  EXPECT_EQ(after(0, {"yara", "am"}, 2), "1:1/yara 2:1/am ");
  EXPECT_EQ(after(3), "");
}

TEST_F(DetectLogTest, what_is_no_alert_is_not_told) {
  alerts_.broken = true;
  EXPECT_FALSE(log_.add(found("1", "yara")));
  EXPECT_EQ(after(0), "");
}

}  // namespace
}  // namespace redoubt::central
