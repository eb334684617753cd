// The store tools against a real node, and against its directory when it is stopped.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "apps/redoubt/up_test.h"
#include "store/events/clickhouse/test_clickhouse.h"
#include "store/events/embedded/test_events.h"

namespace redoubt::cli {
namespace {

using nlohmann::json;

class StoreCommandsTest : public UpTest {
 protected:
  // Events of a host "seeded", as many segments as `frames` says, beside what an agent of this machine sends.
  void seed(uint64_t frames) {
    up();
    ASSERT_EQ(redoubt("down").exit, 0);
    auto store = store::open_embedded_store({.directory = data_ + "/events", .upkeep = store::Upkeep::on_demand});
    ASSERT_TRUE(store) << store.error().message;
    for (uint64_t i = 0; i < frames; ++i) {
      const auto frame = store::test_events::make_frame("seeded", i * 10 + 1, i * 10 + 10, [&](v1::Event& event) {
        event.set_event_time(begin_.us + event.event_sequence() * base::kSecondUs);
      });
      ASSERT_TRUE(append(**store, frame));
      ASSERT_TRUE((*store)->mark_judged("seeded", "boot", i * 10 + 10));
      ASSERT_TRUE((*store)->seal());
    }
  }
  // Where the node was before, so that its agent finds it.
  void up_again() {
    const json ports = json::parse(content(data_ + "/ports.json"));
    const Ended ended = redoubt("up --api-port " + ports.at("api").dump() + " --link-port " + ports.at("link").dump());
    ASSERT_EQ(ended.exit, 0) << ended.error;
  }
  json tool(const std::string& words, int exit = 0) {
    const Ended ended = redoubt("store " + words + " --json");
    EXPECT_EQ(ended.exit, exit) << ended.error;
    return json::parse(ended.out, nullptr, false);
  }
  std::string content(const std::string& path) {
    const auto text = base::read_file(path, 1 << 20);
    EXPECT_TRUE(text);
    return text ? *text : "";
  }
  std::string segment() const {
    for (const auto& entry : std::filesystem::directory_iterator(data_ + "/events/segments")) {
      if (entry.path().extension() == ".parquet") return entry.path();
    }
    return "";
  }

  const base::Time begin_{base::Time::now().us - base::kHourUs};
  std::string data_ = home_ + "/node";
};

uint64_t events_of(const json& stats, const std::string& host) {
  for (const json& each : stats.at("hosts")) {
    if (each.at("id") == host) return each.at("events");
  }
  return 0;
}

TEST_F(StoreCommandsTest, work_on_a_running_node) {
  seed(3);
  up_again();
  const json stats = tool("stats");
  EXPECT_EQ(events_of(stats, "seeded"), 30U);
  EXPECT_EQ(stats.at("disk_free_bytes").is_number(), true);
  const Ended shown = redoubt("store stats");
  EXPECT_EQ(shown.exit, 0);
  EXPECT_NE(shown.out.find("seeded"), std::string::npos) << shown.out;

  EXPECT_TRUE(tool("verify").at("sound"));
  EXPECT_LE(tool("compact").at("segments_after"), 2U);
  EXPECT_EQ(events_of(tool("stats"), "seeded"), 30U);

  const std::string csv = scratch_ / "seeded.csv";
  const std::string query = "'host.id = \"seeded\" | fields @timestamp, process.name'";
  EXPECT_EQ(tool("export " + csv + " " + query).at("rows"), 30U);
  EXPECT_TRUE(content(csv).starts_with("@timestamp,process.name\n")) << content(csv);
  const Ended again = redoubt("store export " + csv + " " + query);
  EXPECT_EQ(again.exit, 1);
  EXPECT_NE(again.error.find("exists"), std::string::npos) << again.error;
  const std::string lines = scratch_ / "some.jsonl";
  const json some = tool("export " + lines + " 'host.id = \"seeded\"' --since " +
                         base::format_time({begin_.us + 5 * base::kSecondUs}) + " --until " +
                         base::format_time({begin_.us + 10 * base::kSecondUs}));
  EXPECT_EQ(some.at("rows"), 5U);
  EXPECT_EQ(json::parse(content(lines).substr(0, content(lines).find('\n'))).at("host.name"), "web-1");
  EXPECT_EQ(tool("export " + (scratch_ / "all.parquet")).value("partial", true), false);

  const Ended wrong = redoubt("store export " + (scratch_ / "x.csv") + " 'process.nam = \"x\"'");
  EXPECT_EQ(wrong.exit, 2);
  EXPECT_NE(wrong.error.find("process.name"), std::string::npos) << wrong.error;
  EXPECT_EQ(redoubt("store export " + (scratch_ / "x.txt")).exit, 2);
  EXPECT_EQ(redoubt("store export " + (scratch_ / "none/x.csv")).exit, 3);
  const Ended locked = redoubt("store verify --data " + data_);
  EXPECT_EQ(locked.exit, 1);
  EXPECT_NE(locked.error.find("a node runs on it"), std::string::npos) << locked.error;
  for (const auto& entry : std::filesystem::directory_iterator(scratch_.path())) {
    EXPECT_EQ(entry.path().string().find(".part"), std::string::npos) << entry.path();
  }
}

TEST_F(StoreCommandsTest, a_hunt_becomes_a_file) {
  seed(2);
  up_again();
  const std::string hunt = "hunt 'host.id = \"seeded\" | fields process.name, host.name' ";
  const std::string csv = scratch_ / "hunt.csv";
  const Ended shown = redoubt(hunt + "--since 7d --export " + csv);
  EXPECT_EQ(shown.exit, 0) << shown.error;
  EXPECT_NE(shown.out.find("20 rows in " + csv), std::string::npos) << shown.out;
  const std::string text = content(csv);
  EXPECT_TRUE(text.starts_with("process.name,host.name\n")) << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 21);

  const Ended again = redoubt(hunt + "--export " + csv);
  EXPECT_EQ(again.exit, 1);
  EXPECT_NE(again.error.find("exists"), std::string::npos) << again.error;
  EXPECT_EQ(content(csv), text);
  const std::string lines = scratch_ / "hunt.data";
  const Ended named = redoubt(hunt + "--export " + lines + " --format jsonl --json");
  EXPECT_EQ(named.exit, 0) << named.error;
  EXPECT_EQ(json::parse(named.out, nullptr, false).value("rows", 0), 20);
  EXPECT_EQ(json::parse(content(lines).substr(0, content(lines).find('\n'))).at("host.name"), "web-1");
  const std::string parquet = scratch_ / "hunt.parquet";
  EXPECT_EQ(redoubt(hunt + "--export " + parquet).exit, 0);
  EXPECT_TRUE(content(parquet).starts_with("PAR1"));

  EXPECT_EQ(redoubt(hunt + "--export " + (scratch_ / "hunt.txt")).exit, 2);
  EXPECT_EQ(redoubt(hunt + "--format csv").exit, 2);
  EXPECT_EQ(redoubt(hunt + "--limit 5 --export " + (scratch_ / "y.csv")).exit, 2);
  const Ended wrong = redoubt("hunt 'process.nam = 1' --export " + (scratch_ / "y.csv"));
  EXPECT_EQ(wrong.exit, 2);
  EXPECT_NE(wrong.error.find("process.name"), std::string::npos) << wrong.error;
  for (const auto& entry : std::filesystem::directory_iterator(scratch_.path())) {
    EXPECT_EQ(entry.path().string().find(".part"), std::string::npos) << entry.path();
  }
  EXPECT_FALSE(std::filesystem::exists(scratch_ / "y.csv"));
}

TEST_F(StoreCommandsTest, work_on_the_directory_of_a_stopped_node) {
  seed(3);
  const std::string at = " --data " + data_;
  EXPECT_EQ(events_of(tool("stats" + at), "seeded"), 30U);
  EXPECT_TRUE(tool("verify" + at).at("sound"));
  EXPECT_EQ(tool("compact" + at).at("damage"), json::array());
  const std::string csv = scratch_ / "seeded.csv";
  EXPECT_EQ(tool("export " + csv + " 'host.id = \"seeded\"'" + at).at("rows"), 30U);
  EXPECT_EQ(redoubt("store export " + (scratch_ / "x.csv") + " 'process.nam = \"x\"'" + at).exit, 2);

  std::filesystem::resize_file(segment(), 100);
  const Ended damaged = redoubt("store verify" + at);
  EXPECT_EQ(damaged.exit, 1);
  EXPECT_NE(damaged.out.find(segment()), std::string::npos) << damaged.out;
  EXPECT_FALSE(tool("verify" + at, 1).at("sound"));
  EXPECT_EQ(redoubt("store stats --data " + (scratch_ / "none")).exit, 3);
  EXPECT_EQ(redoubt("store stats --data " + scratch_.path()).exit, 3);
}

TEST_F(StoreCommandsTest, events_move_to_clickhouse) {
  const auto servers = store::TestClickHouse::start_one();
  if (servers == nullptr) GTEST_SKIP() << "no ClickHouse server on this machine";
  seed(3);
  const store::ClickHouseOptions there = servers->fresh_options("");
  const std::string to = " --servers " + there.servers + " --user redoubt --password-file ";
  EXPECT_NE(redoubt("store migrate --data " + data_ + to + home_ + "/none").exit, 0);
  EXPECT_FALSE(std::filesystem::exists(data_ + "/clickhouse/ledger.db"));
  const json moved = tool("migrate --data " + data_ + to + there.password_file);
  EXPECT_GE(moved.at("events"), 30U);
  EXPECT_EQ(moved.at("events"), moved.at("events_moved"));
  EXPECT_EQ(moved.at("damage"), json::array());
  EXPECT_FALSE(std::filesystem::exists(data_ + "/events"));
  EXPECT_TRUE(std::filesystem::exists(moved.at("kept").get<std::string>()));
  const Ended refused = redoubt("store stats --data " + data_);
  EXPECT_EQ(refused.exit, 1);
  EXPECT_NE(refused.error.find("in ClickHouse"), std::string::npos) << refused.error;
  store::ClickHouseOptions options = there;
  options.directory = data_ + "/clickhouse";
  const auto store = store::open_clickhouse_store(options);
  ASSERT_TRUE(store) << store.error().message;
  EXPECT_EQ((*store)->stored_sequence("seeded", "boot"), 30U);
  EXPECT_EQ((*store)->hunt(store::test_events::everything(), {})->rows.size(), moved.at("events"));
}

TEST_F(StoreCommandsTest, a_restored_node_is_the_node_that_was_backed_up) {
  seed(3);
  up_again();
  const std::string backup = scratch_ / "backup";
  const json made = tool("backup " + backup);
  EXPECT_GE(made.at("events"), 30U);
  EXPECT_EQ(redoubt("store backup " + backup).exit, 1);
  EXPECT_EQ(redoubt("store backup " + data_ + "/inside").exit, 2);
  const Ended running = redoubt("store restore " + backup + " --data " + data_);
  EXPECT_EQ(running.exit, 1);
  EXPECT_NE(running.error.find("not empty"), std::string::npos) << running.error;

  ASSERT_EQ(redoubt("down").exit, 0);
  const std::string ports = content(data_ + "/ports.json");
  std::filesystem::rename(data_, scratch_ / "lost");
  const json restored = tool("restore " + backup + " --data " + data_);
  EXPECT_EQ(restored.at("damage"), json::array());
  EXPECT_EQ(restored.at("events"), made.at("events"));
  ASSERT_TRUE(base::write_file_atomic(data_ + "/ports.json", ports, base::kPublicFile));
  // The profile's token and fingerprint hold, and the agent goes on.
  up_again();
  EXPECT_EQ(events_of(tool("stats"), "seeded"), 30U);
  EXPECT_TRUE(tool("verify").at("sound"));
  const json seeded = tool("export " + (scratch_ / "seeded.csv") + " 'host.id = \"seeded\"'");
  EXPECT_EQ(seeded.at("rows"), 30U);
  ASSERT_EQ(redoubt("down").exit, 0);
  EXPECT_EQ(tool("backup " + (scratch_ / "cold") + " --copy --data " + data_).at("files_linked"), 0U);
}

}  // namespace
}  // namespace redoubt::cli
