// Verdicts posted to a real HTTP server on loopback, over a real state database.
#include "central/objects/webhooks.h"

#include <gtest/gtest.h>
#include <array>
#include <map>

#include "base/file.h"
#include "central/alerts/test_http_server.h"
#include "central/objects/object_export.h"
#include "central/objects/object_rows.h"
#include "central/objects/verdict_rows.h"

namespace redoubt::central {
namespace {

class WebhooksTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::array migrations = {
        store::Migration{.version = 1, .name = "objects", .sql = kObjectsMigration},
        store::Migration{.version = 2, .name = "object verdicts", .sql = kObjectVerdictsMigration},
        store::Migration{.version = 3, .name = "object webhooks", .sql = kWebhooksMigration}};
    auto state = store::open_sqlite_state(directory_ / "state.db", migrations);
    ASSERT_TRUE(state) << state.error().message;
    state_ = *std::move(state);
  }

  std::string hand_in(const std::string& name, const std::string& url) {
    Object object{.name = name, .sha256 = "s", .submitted_by = "anna", .submitted = base::Time::now()};
    EXPECT_TRUE(state_->write([&](soci::session& sql) -> Status {
      insert_object(sql, object, 0);
      if (!url.empty()) owe_webhook(sql, object.id, url);
      return {};
    }));
    return object.id;
  }
  void judge(const std::string& id) {
    EXPECT_TRUE(state_->write([&](soci::session& sql) -> Status {
      write_judgement(sql, object_row_id(id), {.verdict = scan::Verdict::detect});
      return {};
    }));
  }
  std::unique_ptr<Webhooks> start() {
    auto webhooks = std::make_unique<Webhooks>(Webhooks::Parts{*state_, metrics_, [](const Object& object) {
                                                                 return object.name + " is " +
                                                                        std::string(scan::name_of(object.verdict));
                                                               }});
    webhooks->start();
    return webhooks;
  }

  base::TempDir directory_;
  base::Metrics metrics_;
  std::unique_ptr<store::StateDb> state_;
};

TEST_F(WebhooksTest, a_verdict_is_posted_once_it_is_there) {
  HttpServer server({200});
  const std::string id = hand_in("a.exe", server.url());
  hand_in("nobody asked", "");
  const auto webhooks = start();
  std::this_thread::sleep_for(std::chrono::milliseconds(700));
  EXPECT_TRUE(server.requests().empty());
  judge(id);
  ASSERT_TRUE(becomes_true([&] { return !server.requests().empty(); }));
  EXPECT_NE(server.requests()[0].find("a.exe is detect"), std::string::npos) << server.requests()[0];
  std::this_thread::sleep_for(std::chrono::milliseconds(1200));
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST_F(WebhooksTest, what_fails_is_tried_again_and_a_restart_forgets_nothing) {
  HttpServer server({503, 200});
  const std::string id = hand_in("a.exe", server.url());
  judge(id);
  {
    const auto webhooks = start();
    ASSERT_TRUE(becomes_true([&] { return server.requests().size() == 1; }));
  }
  const auto webhooks = start();
  EXPECT_TRUE(becomes_true([&] { return server.requests().size() == 2; }));
}

TEST(WebhookAddress, is_one_of_those_that_the_setting_names) {
  const std::vector<std::string> prefixes = {"https://soar.example.org/", "http://10.0.0.1:8080/hooks/"};
  EXPECT_TRUE(may_post_to(prefixes, "https://soar.example.org/x?y"));
  EXPECT_TRUE(may_post_to(prefixes, "http://10.0.0.1:8080/hooks/1"));
  for (const char* url : {"https://soar.example.org.evil.example/", "http://10.0.0.1:8080/", "http://127.0.0.1/",
                          "https://soar.example.org@evil.example/", "file:///etc/passwd"}) {
    EXPECT_FALSE(may_post_to(prefixes, url)) << url;
  }
  EXPECT_EQ(may_post_to({}, "https://soar.example.org/").error().code, Errc::permission_denied);
}

TEST(CsvCell, is_text_whatever_is_in_it) {
  EXPECT_EQ(csv_cell("plain"), "plain");
  EXPECT_EQ(csv_cell("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_cell("say \"x\""), "\"say \"\"x\"\"\"");
  EXPECT_EQ(csv_cell("=1+1"), "'=1+1");
  EXPECT_EQ(csv_cell("\tx\n"), "\"'\tx\n\"");
  EXPECT_EQ(csv_cell(""), "");
}

}  // namespace
}  // namespace redoubt::central
