// The book over a real directory and a real SQLite database; what it installs is looked at as the judge would.
#include "central/rules/rule_book.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>

#include "base/file.h"
#include "central/state_schema.h"
#include "central/test_events.h"

namespace redoubt::central {
namespace {

constexpr char kCurl[] = "00000000-0000-4000-8000-00000000c001";
constexpr char kWget[] = "00000000-0000-4000-8000-00000000c002";

std::string rule_text(const std::string& id, const std::string& program) {
  return "title: " + program + " was run\nid: " + id +
         "\nlogsource: { category: process_creation, product: linux }\ndetection:\n  s: { Image|endswith: /" + program +
         " }\n  condition: s\nlevel: high\n";
}

class RuleBookTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(base::make_directories(directory_ / "rules"));
    write("curl.yml", rule_text(kCurl, "curl"));
    write("wget.yml", rule_text(kWget, "wget"));
    open();
  }
  void open() {
    book_.reset();
    state_ = store::open_sqlite_state(directory_ / "state.db", state_migrations()).value();
    auto book = RuleBook::open(*state_, metrics_,
                               {.directory = directory_ / "rules", .look_every = std::chrono::milliseconds(5)});
    ASSERT_TRUE(book) << book.error().message;
    book_ = *std::move(book);
  }
  void write(const std::string& name, const std::string& text) {
    ASSERT_TRUE(base::write_file_atomic(directory_ / ("rules/" + name), text, base::kPublicFile));
  }
  Exclusion exclusion(const std::string& condition, const std::string& rule_id = "") {
    Exclusion made;
    made.rule_id = rule_id;
    made.name = "test";
    made.condition = condition;
    return made;
  }
  // Ids of the rules that match a run of the program, as the live set has it.
  std::vector<std::string> found(const std::string& path, const std::string& user = "root") {
    v1::Event event = testing::process_event(1, 1, 0, path);
    event.set_user_name(user);
    const auto rules = book_->current();
    auto matchers = rules->compile(1);
    EXPECT_TRUE(matchers) << matchers.error().message;
    std::vector<query::match::Hit> hits;
    matchers->front().match(testing::batch_of(testing::frame_of({event})), hits);
    std::vector<std::string> ids;
    for (const query::match::Hit& hit : hits) ids.push_back(rules->rules()[rules->live()[hit.rule]].id);
    return ids;
  }

  using Ids = std::vector<std::string>;
  base::TempDir directory_;
  base::Metrics metrics_;
  std::unique_ptr<store::StateDb> state_;
  std::unique_ptr<RuleBook> book_;
};

TEST_F(RuleBookTest, a_rule_that_is_off_finds_nothing_until_it_is_on) {
  EXPECT_EQ(found("/usr/bin/curl"), Ids{kCurl});
  ASSERT_TRUE(book_->change_rule(kCurl, {.state = RuleSwitch::off}, "ana"));
  EXPECT_EQ(found("/usr/bin/curl"), Ids{});
  EXPECT_EQ(found("/usr/bin/wget"), Ids{kWget});
  open();
  EXPECT_EQ(found("/usr/bin/curl"), Ids{}) << "a decision survives a restart";
  EXPECT_EQ(book_->current()->decision(*book_->current()->find(kCurl)).changed_by, "ana");
  ASSERT_TRUE(book_->change_rule(kCurl, {.state = RuleSwitch::on}, "ana"));
  EXPECT_EQ(found("/usr/bin/curl"), Ids{kCurl});
  EXPECT_EQ(book_->change_rule("no", {}, "ana").error().code, Errc::not_found);
}

TEST_F(RuleBookTest, importance_is_set_and_given_back) {
  const auto importance = [&] { return book_->current()->importance(*book_->current()->find(kCurl)); };
  EXPECT_EQ(importance(), rules::Importance::high);
  ASSERT_TRUE(book_->change_rule(kCurl, {.importance = rules::Importance::low}, "ana"));
  EXPECT_EQ(importance(), rules::Importance::low);
  open();
  EXPECT_EQ(importance(), rules::Importance::low);
  RuleChange back;
  back.importance.emplace(std::nullopt);
  ASSERT_TRUE(book_->change_rule(kCurl, back, "ana"));
  EXPECT_EQ(importance(), rules::Importance::high);
}

TEST_F(RuleBookTest, an_exclusion_narrows_its_rule_alone) {
  const auto added = book_->add_exclusion(exclusion("user.name = \"backup\"", kCurl), "ana");
  ASSERT_TRUE(added);
  EXPECT_EQ(added->author, "ana");
  EXPECT_EQ(found("/usr/bin/curl", "backup"), Ids{});
  EXPECT_EQ(found("/usr/bin/curl"), Ids{kCurl});
  EXPECT_EQ(found("/usr/bin/wget", "backup"), Ids{kWget});
  open();
  EXPECT_EQ(found("/usr/bin/curl", "backup"), Ids{});
  ASSERT_TRUE(book_->change_exclusion(added->id, {.condition = "user.name = \"other\""}));
  EXPECT_EQ(found("/usr/bin/curl", "backup"), Ids{kCurl});
  EXPECT_EQ(found("/usr/bin/curl", "other"), Ids{});
  ASSERT_TRUE(book_->remove_exclusion(added->id));
  EXPECT_EQ(found("/usr/bin/curl", "other"), Ids{kCurl});
  EXPECT_EQ(book_->remove_exclusion(added->id).error().code, Errc::not_found);
}

TEST_F(RuleBookTest, an_exclusion_of_all_rules_narrows_every_one) {
  ASSERT_TRUE(book_->add_exclusion(exclusion("user.name = \"backup\""), "ana"));
  EXPECT_EQ(found("/usr/bin/curl", "backup"), Ids{});
  EXPECT_EQ(found("/usr/bin/wget", "backup"), Ids{});
  EXPECT_EQ(found("/usr/bin/wget"), Ids{kWget});
}

TEST_F(RuleBookTest, a_broken_condition_is_refused_with_its_place) {
  for (const auto& [text, code] :
       {std::pair{"user.nam = \"x\"", "Q102"}, {"user.name = \"x\" | since 1d", "Q405"}, {"", "Q406"}}) {
    const auto added = book_->add_exclusion(exclusion(text, kCurl), "ana");
    ASSERT_FALSE(added) << text;
    ASSERT_TRUE(std::holds_alternative<query::Diagnostic>(added.error())) << text;
    EXPECT_EQ(std::get<query::Diagnostic>(added.error()).code, code) << text;
  }
  EXPECT_TRUE(book_->current()->exclusions().empty());
  EXPECT_FALSE(book_->add_exclusion(exclusion("user.id = 0", "no"), "ana"));
}

TEST_F(RuleBookTest, an_exclusion_ends_at_its_time) {
  Exclusion brief = exclusion("user.name = \"backup\"", kCurl);
  brief.expires = {base::Time::now().us + base::kHourUs};
  const auto added = book_->add_exclusion(brief, "ana");
  ASSERT_TRUE(added);
  EXPECT_EQ(book_->current()->next_expiry(base::Time::now()), brief.expires);
  const auto later =
      RuleSnapshot::make(book_->current()->shared_files(), {}, book_->current()->exclusions(), brief.expires);
  EXPECT_EQ(later->exclusions_of(0), 0U);
  EXPECT_EQ(book_->current()->exclusions_of(0), 1U);
}

TEST_F(RuleBookTest, a_reload_keeps_good_rules_and_shows_bad_ones) {
  ASSERT_TRUE(book_->change_rule(kCurl, {.state = RuleSwitch::off}, "ana"));
  const auto before = book_->current();
  write("wget.yml", "title: [");
  write("new.yml", rule_text("00000000-0000-4000-8000-00000000c003", "nc"));
  ASSERT_TRUE(book_->reload());
  EXPECT_EQ(book_->current()->files().refusals().size(), 1U);
  EXPECT_EQ(found("/usr/bin/wget"), Ids{});
  EXPECT_EQ(found("/usr/bin/nc").size(), 1U);
  EXPECT_EQ(found("/usr/bin/curl"), Ids{}) << "decisions outlive a reload";
  EXPECT_EQ(before->rules().size(), 2U) << "who holds a snapshot keeps its rules";
  std::filesystem::remove_all(directory_ / "rules");
  EXPECT_FALSE(book_->reload());
  EXPECT_FALSE(book_->last_load().error.empty());
  EXPECT_EQ(found("/usr/bin/nc").size(), 1U) << "a directory that is gone changes nothing";
}

TEST_F(RuleBookTest, what_cannot_be_installed_is_not_kept) {
  book_->start([](const std::shared_ptr<const RuleSnapshot>& rules) -> Status {
    if (rules->live().size() < 2) return fail(Errc::internal, "no");
    return {};
  });
  EXPECT_FALSE(book_->change_rule(kCurl, {.state = RuleSwitch::off}, "ana"));
  book_->stop();
  EXPECT_EQ(found("/usr/bin/curl"), Ids{kCurl});
  open();
  EXPECT_EQ(found("/usr/bin/curl"), Ids{kCurl});
}

TEST_F(RuleBookTest, files_that_change_are_loaded_by_themselves) {
  std::mutex mutex;
  std::condition_variable changed;
  size_t live = 0;
  book_->start([&](const std::shared_ptr<const RuleSnapshot>& rules) -> Status {
    const std::lock_guard lock(mutex);
    live = rules->live().size();
    changed.notify_all();
    return {};
  });
  write("new.yml", rule_text("00000000-0000-4000-8000-00000000c003", "nc"));
  std::unique_lock lock(mutex);
  EXPECT_TRUE(changed.wait_for(lock, std::chrono::seconds(10), [&] { return live == 3; }));
  lock.unlock();
  book_->stop();
}

}  // namespace
}  // namespace redoubt::central
