#include <gtest/gtest.h>

#include "base/file.h"
#include "base/hash.h"
#include "central/reputation/reputation_book.h"

namespace redoubt::central {
namespace {

std::string read_back(std::string_view text) {
  const auto indicator = read_indicator(text);
  return indicator ? std::string(name_of(indicator->kind)) + " " + indicator->value : "none";
}

TEST(Indicator, has_one_form_whoever_writes_it) {
  EXPECT_EQ(read_back("44D88612FEA8A8F36DE82E1278ABB02F"), "md5 44d88612fea8a8f36de82e1278abb02f");
  EXPECT_EQ(read_back(std::string(64, 'A')), "sha256 " + std::string(64, 'a'));
  EXPECT_EQ(read_back(std::string(40, '0')), "sha1 " + std::string(40, '0'));
  EXPECT_EQ(read_back("Evil.Example.COM."), "domain evil.example.com");
  EXPECT_EQ(read_back("evil[.]example[.]com"), "domain evil.example.com");
  EXPECT_EQ(read_back("::ffff:10.0.0.1"), "ip 10.0.0.1");
  EXPECT_EQ(read_back("2001:DB8::1"), "ip 2001:db8::1");
  EXPECT_EQ(read_back("hxxp://Evil[.]Example.com"), "url http://evil.example.com/");
  EXPECT_EQ(read_back("HTTPS://u:p@evil.example.com:443/A?b=C#top"), "url https://evil.example.com/A?b=C");
  EXPECT_EQ(read_back("http://[2001:db8::1]:8080/x"), "url http://[2001:db8::1]:8080/x");
  EXPECT_EQ(read_back("http://intranet/x"), "url http://intranet/x");
}

TEST(Indicator, is_nothing_for_other_words) {
  for (const char* text : {"", "word", "10.0.0.1.5", "a b.example.com", "-x.example.com", "file.txt:", "http://",
                           "mailto:a@example.com", "g4d88612fea8a8f36de82e1278abb02f", "..", "a..b"}) {
    EXPECT_EQ(read_back(text), "none") << text;
  }
}

TEST(Indicator, tells_the_host_of_a_url) {
  EXPECT_EQ(host_of(*read_indicator("http://a.example.com:81/x"))->value, "a.example.com");
  EXPECT_EQ(host_of(*read_indicator("http://10.0.0.7/x"))->kind, IndicatorKind::ip);
  EXPECT_FALSE(host_of(*read_indicator("http://intranet/x")));
}

std::string summary(std::string_view text) {
  const auto feed = read_feed(text);
  if (!feed) return feed.error().message;
  std::string all = feed->format + " skipped " + std::to_string(feed->skipped) + "\n";
  for (const FeedIndicator& each : feed->indicators) {
    all += std::string(name_of(each.indicator.kind)) + " " + each.indicator.value + " (" + each.note + ")\n";
  }
  return all;
}

TEST(Feed, reads_lists_with_and_without_columns) {
  EXPECT_EQ(summary("# hashes of the week\n"
                    "44d88612fea8a8f36de82e1278abb02f;EICAR test\r\n"
                    "evil.example.com\n\n"
                    "\"2026-11-01\",\"http://evil.example.com/a\",\"payload\"\n"
                    "not an indicator\n"),
            "list skipped 1\n"
            "md5 44d88612fea8a8f36de82e1278abb02f (EICAR test)\n"
            "domain evil.example.com ()\n"
            "url http://evil.example.com/a (payload)\n");
}

TEST(Feed, reads_hash_signatures_of_clamav) {
  EXPECT_EQ(
      summary("44d88612fea8a8f36de82e1278abb02f:68:Own.Eicar-Test\n" + std::string(64, 'b') + ":*:Own.Other:73\n"),
      "clamav skipped 0\nmd5 44d88612fea8a8f36de82e1278abb02f (Own.Eicar-Test)\nsha256 " + std::string(64, 'b') +
          " (Own.Other)\n");
}

TEST(Feed, reads_events_of_misp_and_leaves_out_what_is_context) {
  EXPECT_EQ(summary(R"({"response": [{"Event": {"info": "Campaign", "Attribute": [
      {"type": "md5", "value": "44d88612fea8a8f36de82e1278abb02f", "to_ids": true},
      {"type": "ip-dst", "value": "192.0.2.7", "to_ids": false},
      {"type": "filename|md5", "value": "a.exe|00000000000000000000000000000001", "comment": "dropper"},
      {"type": "ip-dst|port", "value": "192.0.2.8|443"},
      {"type": "mutex", "value": "Global\\x"}],
    "Object": [{"Attribute": [{"type": "domain", "value": "c2.example.com"}]}]}}]})"),
            "misp skipped 2\n"
            "md5 44d88612fea8a8f36de82e1278abb02f (Campaign)\n"
            "md5 00000000000000000000000000000001 (dropper)\n"
            "ip 192.0.2.8 (Campaign)\n"
            "domain c2.example.com (Campaign)\n");
}

TEST(Feed, takes_of_stix_only_what_is_bad_by_itself) {
  EXPECT_EQ(summary(R"({"type": "bundle", "objects": [
    {"type": "indicator", "name": "Two", "pattern": "[domain-name:value = 'a.example.com' OR url:value = 'http://b.example.com/x']"},
    {"type": "indicator", "name": "Both", "pattern": "[ipv4-addr:value = '192.0.2.1' AND file:name = 'x']"},
    {"type": "malware", "name": "M"}]})"),
            "stix skipped 1\n"
            "domain a.example.com (Two)\n"
            "url http://b.example.com/x (Two)\n");
}

TEST(Feed, refuses_what_tells_of_nothing) {
  EXPECT_EQ(read_feed("").error().code, Errc::invalid_argument);
  EXPECT_EQ(read_feed("{\"a\": ").error().code, Errc::invalid_argument);
  EXPECT_EQ(read_feed("hello\nworld\n").error().code, Errc::invalid_argument);
  std::string deep(100'000, '[');
  EXPECT_FALSE(read_feed(deep));
}

class ReputationBookTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::array migrations = {store::Migration{.version = 1, .name = "reputation", .sql = kReputationMigration}};
    auto state = store::open_sqlite_state(directory_ / "state.db", migrations);
    ASSERT_TRUE(state) << state.error().message;
    state_ = *std::move(state);
    open();
  }
  void open() {
    auto book = ReputationBook::open(*state_);
    ASSERT_TRUE(book) << book.error().message;
    book_ = *std::move(book);
  }
  Reputation word(std::string_view text) { return book_->ask(*read_indicator(text))->reputation; }

  base::TempDir directory_;
  std::unique_ptr<store::StateDb> state_;
  std::unique_ptr<ReputationBook> book_;
};

TEST_F(ReputationBookTest, an_import_is_what_its_source_says_from_then_on) {
  const auto first = book_->import("feed", Reputation::bad, "a.example.com\nb.example.com\n");
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->added, 2U);
  const int64_t generation = book_->generation();
  const auto second = book_->import("feed", Reputation::bad, "b.example.com # again\nc.example.com\n");
  ASSERT_TRUE(second);
  EXPECT_EQ(second->removed, 1U);
  EXPECT_GT(book_->generation(), generation);
  EXPECT_EQ(word("a.example.com"), Reputation::unknown);
  EXPECT_EQ(word("b.example.com"), Reputation::bad);
  open();
  EXPECT_EQ(word("c.example.com"), Reputation::bad);
  const auto sources = book_->sources();
  ASSERT_EQ(sources->size(), 1U);
  EXPECT_EQ(sources->front().entries, 2);
}

TEST_F(ReputationBookTest, a_persons_word_counts_more_than_a_feeds) {
  ASSERT_TRUE(book_->import("feed", Reputation::bad, "a.example.com\n"));
  const auto entry = book_->add(*read_indicator("a.example.com"), Reputation::good, "ours", "anna");
  ASSERT_TRUE(entry);
  EXPECT_EQ(word("a.example.com"), Reputation::good);
  EXPECT_EQ(book_->ask(*read_indicator("a.example.com"))->entries.size(), 2U);
  ASSERT_TRUE(book_->remove(entry->id));
  EXPECT_EQ(word("a.example.com"), Reputation::bad);
  EXPECT_EQ(book_->remove(entry->id).error().code, Errc::not_found);
  EXPECT_EQ(book_->remove_source("other").error().code, Errc::not_found);
  EXPECT_EQ(book_->import("manual", Reputation::bad, "a.example.com").error().code, Errc::invalid_argument);
}

TEST_F(ReputationBookTest, a_feed_that_cannot_be_read_changes_nothing) {
  ASSERT_TRUE(book_->import("feed", Reputation::bad, "a.example.com\n"));
  EXPECT_FALSE(book_->import("feed", Reputation::bad, "nothing here\n"));
  EXPECT_EQ(word("a.example.com"), Reputation::bad);
}

TEST_F(ReputationBookTest, pages_what_it_holds) {
  std::string feed;
  for (int i = 0; i < 25'000; ++i) feed += "host" + std::to_string(i) + ".example.com\n";
  ASSERT_TRUE(book_->import("feed", Reputation::bad, feed));
  const auto page = book_->list("feed", std::numeric_limits<int64_t>::max(), 10);
  ASSERT_EQ(page->size(), 10U);
  EXPECT_EQ(page->front().indicator.value, "host24999.example.com");
  EXPECT_TRUE(book_->list("other", std::numeric_limits<int64_t>::max(), 10)->empty());
  EXPECT_EQ(word("host12345.example.com"), Reputation::bad);
}

}  // namespace
}  // namespace redoubt::central
