// What indexes, rows found and command lines tested without SQL, and two-step fetching must not change: every hunt
// gives what a store without any of them gives.
#include <gtest/gtest.h>
#include <filesystem>
#include <fstream>

#include "base/file.h"
#include "bench/generator.h"
#include "query/hunt.h"
#include "store/events/embedded/duck.h"
#include "store/events/embedded/test_events.h"

namespace redoubt::store {
namespace {

using event::Field;

constexpr size_t kPlanEvents = 14'000;

class HuntPlan : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    dir_ = new base::TempDir();
    // A store of several segments and a tail; and the same with its indexes gone and in files that SQL alone reads.
    {
      auto store = open("with", 6'000);
      bench::Generator generator({.mix = bench::Mix::fleet, .hosts = 50});
      for (size_t made = 0; made < kPlanEvents;) {
        const auto next = generator.next();
        made += next.batch.size();
        for (size_t i = 0; i < next.batch.size(); ++i) note(next.batch.row(i));
        ASSERT_TRUE(store->append(next.host_id, next.frame, next.batch));
      }
    }
    std::filesystem::copy(*dir_ / "with", *dir_ / "without", std::filesystem::copy_options::recursive);
    const std::string segments = *dir_ / "without/segments";
    auto duck = embedded::Duck::open({segments, *dir_ / "without/tmp", 1 << 28}).value();
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(segments)) files.push_back(entry.path());
    for (const auto& file : files) {
      if (file.extension() == ".parquet") {
        const std::string other = file.string() + ".snappy";
        ASSERT_TRUE(duck->connect().value()->run("COPY (FROM read_parquet('" + file.string() + "')) TO '" + other +
                                                 "' (FORMAT parquet, COMPRESSION snappy)"));
        std::filesystem::rename(other, file);
      } else if (file.extension() == ".index") {
        std::filesystem::remove(file);
      }
    }
    with_ = open("with", 1'000'000).release();
    without_ = open("without", 1'000'000).release();
  }
  static void TearDownTestSuite() {
    delete with_;
    delete without_;
    delete dir_;
  }

  static std::unique_ptr<EventStore> open(const std::string& name, uint64_t seal_events) {
    auto store = open_embedded_store({.directory = *dir_ / name, .seal_events = seal_events, .free_bytes_min = 0});
    EXPECT_TRUE(store) << store.error().message;
    return *std::move(store);
  }

  static void note(const event::Row& row) {
    if (const auto hash = row.text(Field::file_hash_sha256); !hash.empty()) hash_ = hash;
    if (const auto domain = row.text(Field::dns_question_name); !domain.empty()) domain_ = domain;
    id_ = row.text(Field::process_entity_id);
    line_ = row.text(Field::process_command_line);
    time_us_ = row.integer(Field::event_time);
  }

  static query::Hunt parsed(const std::string& text) {
    auto hunt = query::parse_hunt(text, base::Time{time_us_});
    EXPECT_TRUE(hunt) << text << ": " << hunt.error().render(text);
    hunt->where = query::normalize(std::move(hunt->where)).value();
    return *std::move(hunt);
  }

  static void expect_equal(const query::Hunt& hunt, const std::string& text) {
    const auto with = with_->hunt(hunt, {});
    const auto without = without_->hunt(hunt, {});
    ASSERT_TRUE(with) << text << ": " << with.error().message;
    ASSERT_TRUE(without) << text << ": " << without.error().message;
    EXPECT_FALSE(with->partial) << text << ": " << with->partial_why;
    EXPECT_EQ(with->rows.size(), without->rows.size()) << text;
    EXPECT_EQ(with->rows, without->rows) << text;
    const auto buckets = with_->histogram(hunt, 60 * base::kSecondUs, {});
    const auto buckets_without = without_->histogram(hunt, 60 * base::kSecondUs, {});
    ASSERT_TRUE(buckets) << text << ": " << buckets.error().message;
    EXPECT_EQ(buckets->rows, buckets_without->rows) << text;
  }

  static base::TempDir* dir_;
  static EventStore* with_;
  static EventStore* without_;
  static std::string hash_, domain_, id_, line_;
  static int64_t time_us_;
};

base::TempDir* HuntPlan::dir_;
EventStore* HuntPlan::with_;
EventStore* HuntPlan::without_;
std::string HuntPlan::hash_, HuntPlan::domain_, HuntPlan::id_, HuntPlan::line_;
int64_t HuntPlan::time_us_;

TEST_F(HuntPlan, gives_the_same_with_and_without_indexes) {
  EXPECT_GE(with_->stats().segments, 2U);
  EXPECT_GT(with_->stats().tail_events, 0U);
  std::string upper = line_.substr(line_.size() - 12);
  std::transform(upper.begin(), upper.end(), upper.begin(), [](unsigned char c) { return std::toupper(c); });
  const std::string part = line_.substr(line_.size() - 6);
  for (const std::string& text : std::vector<std::string>{
           "",
           "file.hash.sha256 = \"" + hash_ + "\"",
           "file.hash.sha256 = \"" + std::string(64, '0') + "\"",
           "process.entity_id = \"" + id_ + "\"",
           "NOT process.entity_id = \"" + id_ + "\"",
           "dns.question.name = \"" + domain_ + "\" OR file.hash.sha256 = \"" + hash_ + "\"",
           "dns.question.name = \"" + domain_ + "\" AND file.hash.sha256 = \"" + hash_ + "\"",
           "process.name = \"BASH-4\" OR user.name = \"ROOT\"",
           "CommandLine CONTAINS \"" + part + "\"",
           "CommandLine CONTAINS \"" + upper + "\"",
           "CommandLine CONTAINS \"no such thing\"",
           "NOT CommandLine CONTAINS \"" + part + "\"",
           "CommandLine CONTAINS \"-o\" AND NOT CommandLine CONTAINS \"--user\" AND EventType = \"process\"",
           "CommandLine STARTS \"/usr/bin\" OR CommandLine ENDS \"" + part + "\"",
           "CommandLine MATCHES \"--user /[a-d]+/0\"",
           "CommandLine = \"" + line_ + "\"",
           "CommandLine CONTAINS \"7f\" | count by host.name top 10",
           "process.parent.command_line CONTAINS \"7f\" | count by process.name top 10",
           "EventType = \"dns\" | count per minute",
           "NOT EventType = \"dns\" | count per hour",
           "CommandLine CONTAINS \"7f\" | rare process.name by host.id",
           "registry.path CONTAINS \"hklm\" | distinct registry.path",
           "container.name = \"x\" OR mount.type = \"y\"",
           "user.name = \"root\" AND CommandLine CONTAINS \"7f\" | count by process.parent.name top 5",
           "process.entity_id = \"" + id_ + "\" AND NOT user.name = \"root\"",
           "process.entity_id = \"" + id_ + "\" OR process.parent.entity_id = \"" + id_ + "\" | distinct file.path",
           "process.entity_id = \"" + id_ + "\" AND file.size > 1000 | count per hour",
           "process.entity_id = \"" + id_ + "\" AND EventType IN (\"process\", \"dns\")",
           "CommandLine CONTAINS \"7f\" AND EventType = \"filechange\" AND user.name = \"ROOT\"",
           "CommandLine CONTAINS \"7f\" AND EventType = \"process\" | distinct process.entity_id",
           "CommandLine CONTAINS \"7f\" AND process.name STARTS \"b\" | count by host.name top 4",
           "CommandLine CONTAINS \"7f\" | distinct container.name",
       }) {
    expect_equal(parsed(text), text);
  }
}

TEST_F(HuntPlan, keeps_to_bounds_of_time) {
  const int64_t first = 1'780'000'000'000'000;
  for (const int64_t since : {first, first + 1, first + 61 * base::kSecondUs, time_us_ - base::kSecondUs}) {
    for (const int64_t until :
         {first + 62 * base::kSecondUs, first / 60'000'000 * 60'000'000 + 180'000'000, time_us_}) {
      for (const char* text : {"", "EventType = \"dns\"", "CommandLine CONTAINS \"7f\"",
                               "CommandLine CONTAINS \"7f\" | count by process.name top 10"}) {
        query::Hunt hunt = parsed(text);
        hunt.since = base::Time{since};
        hunt.until = base::Time{until};
        expect_equal(hunt, text + std::string(" since ") + std::to_string(since) + " until " + std::to_string(until));
        hunt.direction = query::Direction::ascending;
        expect_equal(hunt, text + std::string(" oldest first"));
      }
    }
  }
}

TEST_F(HuntPlan, pages_through_what_it_finds) {
  query::Hunt hunt = parsed("EventType = \"filechange\"");
  hunt.limit = 500;
  const auto all = with_->hunt(hunt, {}).value();
  hunt.limit = 20;
  hunt.offset = 300;
  const auto page = with_->hunt(hunt, {}).value();
  ASSERT_EQ(page.rows.size(), 20U);
  for (size_t i = 0; i < page.rows.size(); ++i) EXPECT_EQ(page.rows[i], all.rows[300 + i]);
}

TEST_F(HuntPlan, reads_what_has_a_damaged_index) {
  std::filesystem::copy(*dir_ / "with", *dir_ / "damaged", std::filesystem::copy_options::recursive);
  for (const auto& entry : std::filesystem::directory_iterator(*dir_ / "damaged/segments")) {
    if (entry.path().extension() != ".index") continue;
    std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(400);
    file.put('\x5a').put('\x11');
  }
  const auto damaged = open("damaged", 1'000'000);
  for (const std::string& text : {"file.hash.sha256 = \"" + hash_ + "\"", std::string("CommandLine CONTAINS \"7f\"")}) {
    const auto found = damaged->hunt(parsed(text), {});
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_FALSE(found->partial) << found->partial_why;
    EXPECT_EQ(found->rows, with_->hunt(parsed(text), {})->rows) << text;
  }
}

}  // namespace
}  // namespace redoubt::store
