// What every engine of the event store does: one suite against the embedded store, one ClickHouse server, and two that
// hold the replicas of two shards.
#include <gtest/gtest.h>
#include <unistd.h>
#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "base/file.h"
#include "store/events/clickhouse/test_clickhouse.h"
#include "store/events/embedded/test_events.h"
#include "store/events/move_events.h"

namespace redoubt::store {
namespace {

using event::Field;
using test_events::append;
using test_events::everything;
using test_events::kBaseUs;
using test_events::make_frame;
using test_events::number_at;
using test_events::TestFrame;

enum class Engine : uint8_t { embedded, one_server, cluster };

std::string name_of(const testing::TestParamInfo<Engine>& info) {
  switch (info.param) {
    case Engine::embedded: return "embedded";
    case Engine::one_server: return "one_server";
    case Engine::cluster: return "cluster";
  }
  return "";
}

TestClickHouse* servers_of(Engine engine) {
  static std::map<Engine, std::unique_ptr<TestClickHouse>> started;
  auto [found, fresh] = started.try_emplace(engine);
  if (fresh && engine == Engine::one_server) found->second = TestClickHouse::start_one();
  if (fresh && engine == Engine::cluster) found->second = TestClickHouse::start_cluster();
  return found->second.get();
}

class EventStoreTest : public testing::TestWithParam<Engine> {
 protected:
  void SetUp() override {
    if (GetParam() == Engine::embedded) return;
    servers_ = servers_of(GetParam());
    if (servers_ == nullptr) GTEST_SKIP() << "no ClickHouse server, or no ZooKeeper, on this machine";
    clickhouse_ = servers_->fresh_options(dir_ / "events");
    clickhouse_.free_bytes_min = 0;
  }

  static EmbeddedOptions embedded_options(const std::string& directory) {
    return {.directory = directory,
            .memory_bytes_max = uint64_t{512} << 20,
            .free_bytes_min = 0,
            .upkeep = Upkeep::on_demand};
  }

  void open() {
    store_.reset();
    auto opened = GetParam() == Engine::embedded ? open_embedded_store(embedded_options(dir_ / "events"))
                                                 : open_clickhouse_store(clickhouse_);
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = *std::move(opened);
  }

  // As often as a store that works by itself would: a cluster takes a while to know that a replica is back, and loses
  // its session where the machine stands still.
  void seal() {
    Status sealed = store_->seal();
    for (int i = 0; i < 300 && !sealed; ++i) {
      usleep(100'000);
      sealed = store_->seal();
    }
    ASSERT_TRUE(sealed) << sealed.error().message;
  }

  void take(const TestFrame& frame) {
    const auto done = append(*store_, frame);
    ASSERT_TRUE(done) << done.error().message;
  }

  HuntResult hunt(const query::Hunt& hunt, const HuntLimits& limits = {}) {
    auto result = store_->hunt(hunt, limits);
    EXPECT_TRUE(result) << result.error().message;
    return result ? *std::move(result) : HuntResult{};
  }

  std::vector<int64_t> all_numbers() {
    const HuntResult result = hunt(everything());
    EXPECT_FALSE(result.partial) << result.partial_why;
    std::vector<int64_t> numbers;
    for (size_t i = 0; i < result.rows.size(); ++i) numbers.push_back(number_at(result, i, 0));
    return numbers;
  }

  base::TempDir dir_;
  TestClickHouse* servers_ = nullptr;
  ClickHouseOptions clickhouse_;
  std::unique_ptr<EventStore> store_;
};

TEST_P(EventStoreTest, finds_what_was_appended_also_after_reopening) {
  ASSERT_NO_FATAL_FAILURE(open());
  take(make_frame("a", 1, 3));
  seal();
  take(make_frame("a", 4, 5));
  seal();
  EXPECT_EQ(all_numbers(), (std::vector<int64_t>{5, 4, 3, 2, 1}));
  ASSERT_NO_FATAL_FAILURE(open());
  EXPECT_EQ(all_numbers(), (std::vector<int64_t>{5, 4, 3, 2, 1}));
  EXPECT_EQ(store_->stats().events, 5U);
  EXPECT_EQ(store_->stored_sequence("a", "boot"), 5U);
  EXPECT_EQ(store_->stored_sequence("b", "boot"), 0U);
}

TEST_P(EventStoreTest, gives_every_field_by_its_canonical_name) {
  ASSERT_NO_FATAL_FAILURE(open());
  take(make_frame("a", 1, 1));
  seal();
  const HuntResult result = hunt({});
  ASSERT_EQ(result.rows.size(), 1U);
  ASSERT_EQ(result.columns.size(), event::kFieldCount);
  for (const event::FieldInfo& row : event::kFields) {
    EXPECT_EQ(result.columns[static_cast<size_t>(row.field)].name, row.name);
    EXPECT_EQ(result.columns[static_cast<size_t>(row.field)].field, row.field);
  }
  const auto cell = [&](Field field) { return result.rows[0][static_cast<size_t>(field)]; };
  EXPECT_EQ(cell(Field::event_type), Cell{std::string("process")});
  EXPECT_EQ(cell(Field::host_id), Cell{std::string("a")});  // not what the agent says
  EXPECT_EQ(cell(Field::host_boot_id), Cell{std::string("boot")});
  EXPECT_EQ(cell(Field::process_pid), Cell{int64_t{1001}});
  EXPECT_EQ(cell(Field::file_path), Cell{});
}

TEST_P(EventStoreTest, stores_repeated_and_overlapping_frames_once) {
  ASSERT_NO_FATAL_FAILURE(open());
  take(make_frame("a", 1, 4));
  const auto repeated = append(*store_, make_frame("a", 1, 4));
  ASSERT_TRUE(repeated);
  EXPECT_EQ(repeated->events_repeated, 4U);
  const auto overlapping = append(*store_, make_frame("a", 3, 6));
  ASSERT_TRUE(overlapping);
  EXPECT_EQ(overlapping->events_new, 2U);
  EXPECT_EQ(overlapping->events_repeated, 2U);
  take(make_frame("b", 1, 2));
  seal();
  ASSERT_NO_FATAL_FAILURE(open());
  EXPECT_EQ(append(*store_, make_frame("a", 5, 6))->events_new, 0U);
  EXPECT_EQ(append(*store_, make_frame("a", 6, 7))->events_new, 1U);
  seal();
  EXPECT_EQ(all_numbers().size(), 9U);
  EXPECT_FALSE(
      append(*store_, {.host_id = "", .frame = make_frame("a", 8, 8).frame, .batch = make_frame("a", 8, 8).batch}));
}

TEST_P(EventStoreTest, brings_back_what_was_not_sent_before_the_end) {
  ASSERT_NO_FATAL_FAILURE(open());
  take(make_frame("a", 1, 3));
  seal();
  take(make_frame("a", 2, 6));
  take(make_frame("b", 1, 2));
  ASSERT_NO_FATAL_FAILURE(open());
  EXPECT_EQ(store_->stored_sequence("a", "boot"), 6U);
  EXPECT_EQ(store_->stats().events, 8U);
  seal();
  EXPECT_EQ(all_numbers().size(), 8U);
}

TEST_P(EventStoreTest, replays_what_was_not_judged) {
  ASSERT_NO_FATAL_FAILURE(open());
  take(make_frame("a", 1, 3));
  take(make_frame("b", 1, 2));
  ASSERT_TRUE(store_->mark_judged("a", "boot", 3));
  seal();
  ASSERT_NO_FATAL_FAILURE(open());
  std::vector<std::string> judged;
  const auto judge = [&](const std::string& host, const event::Batch& batch) -> Status {
    judged.push_back(host + std::to_string(batch.size()));
    return {};
  };
  ASSERT_TRUE(store_->replay_unjudged(judge));
  EXPECT_EQ(judged, std::vector<std::string>{"b2"});
  seal();
  ASSERT_NO_FATAL_FAILURE(open());
  ASSERT_TRUE(store_->replay_unjudged(judge));
  EXPECT_EQ(judged.size(), 1U);
}

TEST_P(EventStoreTest, remembers_activity_and_declared_losses) {
  ASSERT_NO_FATAL_FAILURE(open());
  take(make_frame("a", 1, 2));
  take(make_frame("a", 3, 3, [](v1::Event& event) {
    event.set_event_type(v1::EVENT_TYPE_LOSS);
    event.set_loss_count(7);
  }));
  seal();
  ASSERT_NO_FATAL_FAILURE(open());
  const auto activity = store_->activity();
  ASSERT_EQ(activity.size(), 1U);
  EXPECT_EQ(activity[0].host_id, "a");
  EXPECT_EQ(activity[0].events, 3U);
  EXPECT_EQ(activity[0].events_lost, 7U);
  EXPECT_EQ(activity[0].last_event_us, kBaseUs + 3 * base::kSecondUs);
}

// Texts that are hard to fold, addresses, attributes, absent fields; on several hosts and days.
std::vector<TestFrame> hard_frames() {
  constexpr const char* kTexts[] = {
      "curl",   "CURL -X", "ÉCOLE", "école",       "straße", "STRASSE", "\u212Aelvin",
      "kelvin", "a'b\\c",  "50%_x", "line\nbreak", "",       "日本",    "-EncodedCommand AbC",
      "x\ty"};
  constexpr const char* kAddresses[] = {"10.0.0.1", "10.1.2.3", "192.168.1.1", "::1", "fd00::1", "fe80::a:b"};
  constexpr const char* kNumbers[] = {"7", "-3", "007", "x", "12345678901234567890"};
  std::vector<TestFrame> frames;
  for (uint64_t host = 0; host < 4; ++host) {
    event::FrameBuilder builder{v1::Event()};
    const uint32_t name = builder.attribute_name("Details");
    const uint32_t number = builder.attribute_name("é\"\\");
    for (uint64_t i = 1; i <= 45; ++i) {
      v1::Event event;
      event.set_event_type(i % 3 == 0 ? v1::EVENT_TYPE_CONNECTION : v1::EVENT_TYPE_PROCESS);
      event.set_event_sequence(static_cast<int64_t>(i));
      event.set_event_time(kBaseUs + static_cast<int64_t>(i % 9) * 7 * base::kHourUs + static_cast<int64_t>(i / 4));
      if (i % 5 != 0) event.set_process_name(kTexts[(i + host) % std::size(kTexts)]);
      if (i % 7 != 0) event.set_process_command_line(kTexts[(i * 3 + host) % std::size(kTexts)]);
      if (i % 4 != 0) event.set_process_pid(static_cast<int64_t>(i) - 10);
      if (i % 3 == 0) event.set_destination_ip(kAddresses[(i / 3 + host) % std::size(kAddresses)]);
      if (i % 2 == 0) event.set_process_start(kBaseUs - static_cast<int64_t>(i) * 40 * base::kDayUs);
      if (i % 6 == 0) {
        v1::Attribute& one = *event.add_attributes();
        one.set_name(name);
        one.set_value(i % 12 == 0 ? kAddresses[i % std::size(kAddresses)] : kTexts[i % std::size(kTexts)]);
        v1::Attribute& two = *event.add_attributes();
        two.set_name(number);
        two.set_value(kNumbers[i % std::size(kNumbers)]);
      }
      builder.add(event);
    }
    event::Frame frame = builder.finish("boot");
    auto batch = event::Batch::decode(event::open_frame(frame.payload, frame.checksum).value());
    frames.push_back(
        {.host_id = "host-" + std::to_string(host), .frame = std::move(frame), .batch = *std::move(batch)});
  }
  return frames;
}

constexpr const char* kHunts[] = {
    "",
    "| limit 7",
    "| sort time asc | limit 9 | fields event.sequence, host.id, @timestamp",
    "| sort process.name | fields process.name, event.sequence | limit 50",
    "| sort PID asc | fields PID, event.sequence, host.id | limit 500",
    "process.name = \"CURL\"",
    "process.name = \"curl\", \"ecole\", \"école\"",
    "process.name CONTAINS \"K\"",
    "process.command_line CONTAINS \"strasse\"",
    "process.command_line CONTAINS \"straß\"",
    "process.command_line CONTAINS \"'b\\\\\"",
    "process.command_line STARTS \"É\"",
    "process.command_line ENDS \"-x\"",
    "process.command_line = \"50%*\"",
    "process.command_line = \"?elvin\"",
    "process.command_line MATCHES \"-enc[a-z]* a\"",
    "process.command_line MATCHES \"^line.break$\"",
    "process.command_line MATCHES \"k|日\"",
    "NOT process.command_line CONTAINS \"a\"",
    "process.command_line !CONTAINS \"a\"",
    "process.name EXISTS",
    "NOT process.name EXISTS",
    "PID > -3 AND PID <= 12",
    "PID = -5, 3, 7",
    "destination.ip CIDR 10.0.0.0/8",
    "destination.ip CIDR fd00::/8, 192.168.0.0/16",
    "NOT destination.ip CIDR ::/0",
    "destination.ip = ::1",
    "EventType = \"connection\" OR process.name = \"kelvin\"",
    "attributes.Details CONTAINS \"K\"",
    "attributes.Details = \"curl -x\"",
    "attributes.Details CIDR 10.0.0.0/8",
    "attributes.Details EXISTS",
    "host.id = \"host-1\" AND event.sequence < 10",
    "process.name = \"nothing has it\"",
    "| since 2026-05-29T00:00:00Z | until 2026-05-30T12:00:00Z",
    "| until 2026-05-29T12:00:00Z | fields event.sequence, host.id",
    "| count by process.name top 5",
    "| count by PID top 100",
    "| count by @timestamp top 3",
    "| count per hour",
    "| count per day",
    "| distinct destination.ip",
    "| rare process.name by host.id",
    "process.name EXISTS | rare process.command_line by PID | limit 7",
};

TEST_P(EventStoreTest, answers_like_the_embedded_store) {
  ASSERT_NO_FATAL_FAILURE(open());
  auto other = open_embedded_store(embedded_options(dir_ / "other"));
  ASSERT_TRUE(other) << other.error().message;
  for (const TestFrame& frame : hard_frames()) {
    take(frame);
    ASSERT_TRUE(append(**other, frame));
  }
  seal();
  for (const char* text : kHunts) {
    auto parsed = query::parse_hunt(text, base::Time{kBaseUs});
    ASSERT_TRUE(parsed) << text << ": " << parsed.error().message;
    if (parsed->fields.empty()) parsed->fields = {Field::event_sequence, Field::host_id, Field::process_name};
    parsed->offset = static_cast<uint32_t>(std::string_view(text).size() % 3);
    const auto expected = (*other)->hunt(*parsed, {});
    const auto got = store_->hunt(*parsed, {});
    ASSERT_TRUE(expected) << text << ": " << expected.error().message;
    ASSERT_TRUE(got) << text << ": " << got.error().message;
    ASSERT_EQ(got->columns.size(), expected->columns.size()) << text;
    for (size_t i = 0; i < got->columns.size(); ++i) EXPECT_EQ(got->columns[i].name, expected->columns[i].name);
    EXPECT_EQ(got->rows, expected->rows) << text << " from " << parsed->offset;
    EXPECT_FALSE(got->partial) << got->partial_why;
  }
  const auto hunt = query::parse_hunt("process.name CONTAINS \"e\" | limit 3", base::Time{kBaseUs});
  const auto expected = (*other)->histogram(*hunt, base::kHourUs, {});
  const auto got = store_->histogram(*hunt, base::kHourUs, {});
  ASSERT_TRUE(expected && got);
  EXPECT_EQ(got->rows, expected->rows);
  EXPECT_GT(got->rows.size(), 3U);
}

TEST_P(EventStoreTest, stops_at_the_time_limit_and_when_cancelled) {
  ASSERT_NO_FATAL_FAILURE(open());
  take(make_frame("a", 1, 3));
  seal();
  const HuntResult late = hunt(everything(), {.time_ms_max = 0, .cancelled = {}});
  EXPECT_TRUE(late.partial);
  EXPECT_NE(late.partial_why.find("time limit"), std::string::npos) << late.partial_why;
  const HuntResult gone = hunt(everything(), {.time_ms_max = 10'000, .cancelled = [] { return true; }});
  EXPECT_TRUE(gone.partial);
  EXPECT_NE(gone.partial_why.find("cancelled"), std::string::npos) << gone.partial_why;
}

TEST_P(EventStoreTest, finds_events_of_any_time) {
  ASSERT_NO_FATAL_FAILURE(open());
  constexpr int64_t kTimes[] = {INT64_MIN, -5, 0, 1, kBaseUs, int64_t{4'000'000'000} * 1'000'000, INT64_MAX};
  uint64_t number = 0;
  for (const int64_t time : kTimes) {
    ++number;
    take(make_frame("a", number, number, [&](v1::Event& event) { event.set_event_time(time); }));
  }
  seal();
  std::vector<int64_t> numbers = all_numbers();
  EXPECT_EQ(numbers.size(), 7U);
  std::sort(numbers.begin(), numbers.end());
  EXPECT_EQ(std::unique(numbers.begin(), numbers.end()), numbers.end());
}

TEST_P(EventStoreTest, says_what_it_holds_and_that_it_is_sound) {
  ASSERT_NO_FATAL_FAILURE(open());
  take(make_frame("a", 1, 3));
  seal();
  take(make_frame("b", 1, 4));
  ASSERT_TRUE(store_->mark_judged("a", "boot", 3));
  ASSERT_TRUE(store_->mark_judged("b", "boot", 4));
  seal();
  const auto report = store_->report();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->segment_events, 7U);
  EXPECT_EQ(report->totals.events, 7U);
  EXPECT_EQ(report->kinds, (std::vector<std::pair<std::string, uint64_t>>{{"process", 7}}));
  EXPECT_EQ(report->first_event_us, kBaseUs + base::kSecondUs);
  EXPECT_EQ(report->last_event_us, kBaseUs + 4 * base::kSecondUs);
  ASSERT_EQ(report->hosts.size(), 2U);
  EXPECT_EQ(report->hosts[0].host_id, "b");
  const auto verified = store_->verify({});
  ASSERT_TRUE(verified) << verified.error().message;
  EXPECT_TRUE(verified->damage.empty());
  EXPECT_EQ(verified->events, 7U);
  const auto compacted = store_->compact({});
  ASSERT_TRUE(compacted) << compacted.error().message;
  EXPECT_TRUE(compacted->damage.empty());
  EXPECT_LE(compacted->segments_after, GetParam() == Engine::cluster ? 2U : 1U);
  EXPECT_EQ(all_numbers().size(), 7U);
}

TEST_P(EventStoreTest, expires_old_events) {
  clickhouse_.retention_us = 30 * base::kDayUs;
  if (GetParam() == Engine::embedded) {
    EmbeddedOptions options = embedded_options(dir_ / "events");
    options.retention_us = clickhouse_.retention_us;
    auto opened = open_embedded_store(options);
    ASSERT_TRUE(opened);
    store_ = *std::move(opened);
  } else {
    ASSERT_NO_FATAL_FAILURE(open());
  }
  const int64_t now_us = base::Time::now().us;
  take(make_frame("a", 1, 3, [&](v1::Event& event) { event.set_event_time(now_us - 40 * base::kDayUs); }));
  seal();
  take(make_frame("a", 4, 5, [&](v1::Event& event) { event.set_event_time(now_us - base::kDayUs); }));
  seal();
  const auto expired = store_->expire();
  ASSERT_TRUE(expired) << expired.error().message;
  EXPECT_EQ(*expired, 1U);
  EXPECT_EQ(all_numbers().size(), 2U);
  EXPECT_EQ(*store_->expire(), 0U);
}

std::string content_of(const Exported& exported) {
  std::string text(exported.bytes, '\0');
  EXPECT_EQ(pread(exported.file.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  return text;
}

TEST_P(EventStoreTest, exports_like_the_embedded_store) {
  ASSERT_NO_FATAL_FAILURE(open());
  auto other = open_embedded_store(embedded_options(dir_ / "other"));
  ASSERT_TRUE(other);
  for (const TestFrame& frame : hard_frames()) {
    take(frame);
    ASSERT_TRUE(append(**other, frame));
  }
  seal();
  for (const char* text : {"| fields @timestamp, host.id, event.sequence, process.command_line, PID, attributes | sort "
                           "event.sequence asc | limit 1000",
                           "| count by process.name top 4", "| count per day", "| distinct destination.ip"}) {
    auto parsed = query::parse_hunt(text, base::Time{kBaseUs});
    ASSERT_TRUE(parsed) << text;
    const ExportFormat format =
        std::string_view(text).find("count") == std::string_view::npos ? ExportFormat::csv : ExportFormat::json_lines;
    const auto expected = (*other)->export_hunt(*parsed, format, {});
    const auto got = store_->export_hunt(*parsed, format, {});
    ASSERT_TRUE(expected && got) << text << (got ? "" : got.error().message);
    EXPECT_EQ(got->rows, expected->rows);
    EXPECT_EQ(content_of(*got), content_of(*expected)) << text;
  }
  const auto whole = store_->export_hunt({}, ExportFormat::parquet, {});
  ASSERT_TRUE(whole) << whole.error().message;
  EXPECT_EQ(whole->rows, 180U);
}

// From the embedded store to each engine; broken off once.
TEST_P(EventStoreTest, takes_the_events_of_another_store) {
  ASSERT_NO_FATAL_FAILURE(open());
  auto other = open_embedded_store(embedded_options(dir_ / "other"));
  ASSERT_TRUE(other);
  for (const TestFrame& frame : hard_frames()) ASSERT_TRUE(append(**other, frame));
  EXPECT_EQ(move_events(**other, *store_, [](uint64_t) {}).error().code, Errc::invalid_argument);  // not judged
  for (const TestFrame& frame : hard_frames()) ASSERT_TRUE((*other)->mark_judged(frame.host_id, "boot", 45));
  // One host is there already.
  take({.host_id = "host-1", .frame = hard_frames()[1].frame, .batch = std::move(hard_frames()[1].batch)});
  seal();
  const auto moved = move_events(**other, *store_, [](uint64_t) {});
  ASSERT_TRUE(moved) << moved.error().message;
  EXPECT_EQ(moved->hosts, 4U);
  EXPECT_EQ(moved->events, 180U);
  EXPECT_EQ(moved->events_moved, 135U);
  EXPECT_TRUE(moved->left_behind.empty());
  query::Hunt everything_of_it;
  everything_of_it.limit = 1000;
  EXPECT_EQ(hunt(everything_of_it).rows, (*other)->hunt(everything_of_it, {})->rows);
  const auto again = move_events(**other, *store_, [](uint64_t) {});
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->events_moved, 0U);
}

INSTANTIATE_TEST_SUITE_P(Engines, EventStoreTest,
                         testing::Values(Engine::embedded, Engine::one_server, Engine::cluster), name_of);

// Of ClickHouse alone.
class ClickHouseStoreTest : public EventStoreTest {};

TEST_P(ClickHouseStoreTest, keeps_events_while_a_server_is_away) {
  ASSERT_NO_FATAL_FAILURE(open());
  take(make_frame("a", 1, 3));
  seal();
  servers_->kill_server(0);
  take(make_frame("a", 4, 6));
  take(make_frame("b", 1, 2));
  EXPECT_FALSE(store_->seal());
  EXPECT_EQ(store_->stats().tail_events, 5U);
  if (GetParam() == Engine::one_server) {
    EXPECT_FALSE(store_->hunt(everything(), {}));
  } else {
    EXPECT_GE(all_numbers().size(), 3U);  // of the other replica, which may have more than the quorum has
  }
  ASSERT_NO_FATAL_FAILURE(open());
  ASSERT_TRUE(servers_->start_server(0));
  seal();
  EXPECT_EQ(all_numbers().size(), 8U);
}

// As after a crash between the answer of ClickHouse and the ledger's entry.
TEST_P(ClickHouseStoreTest, stores_a_block_that_is_sent_again_once) {
  ASSERT_NO_FATAL_FAILURE(open());
  take(make_frame("a", 1, 3));
  take(make_frame("b", 1, 3, [](v1::Event& event) { event.set_event_time(kBaseUs + 3 * base::kDayUs); }));
  servers_->run(0, "SELECT 1").value();
  const std::string ledger = dir_ / "events/ledger.db";
  servers_->kill_server(0);
  EXPECT_FALSE(store_->seal());  // the block is begun, and its day known
  store_.reset();
  std::filesystem::copy(ledger, dir_ / "before");
  ASSERT_TRUE(servers_->start_server(0));
  for (int round = 0; round < 2; ++round) {
    ASSERT_NO_FATAL_FAILURE(open());
    ASSERT_NO_FATAL_FAILURE(seal());
    EXPECT_EQ(all_numbers().size(), 6U);
    store_.reset();
    std::filesystem::copy(dir_ / "before", ledger, std::filesystem::copy_options::overwrite_existing);
    std::filesystem::remove(ledger + "-wal");
    std::filesystem::remove(ledger + "-shm");
  }
}

TEST_P(ClickHouseStoreTest, sends_by_itself) {
  clickhouse_.upkeep = Upkeep::automatic;
  clickhouse_.block_age_us = 200'000;
  ASSERT_NO_FATAL_FAILURE(open());
  take(make_frame("a", 1, 3));
  for (int i = 0; i < 1200 && store_->stats().tail_events > 0; ++i) usleep(50'000);
  EXPECT_EQ(all_numbers().size(), 3U);
  ASSERT_TRUE(store_->mark_judged("a", "boot", 3));
  for (int i = 0; i < 1200 && store_->stats().spool_bytes > 0; ++i) usleep(50'000);
  EXPECT_EQ(store_->stats().spool_bytes, 0U);
}

TEST_P(ClickHouseStoreTest, refuses_what_it_cannot_do) {
  ASSERT_NO_FATAL_FAILURE(open());
  EXPECT_EQ(store_->snapshot().error().code, Errc::unsupported);
  store_.reset();
  ClickHouseOptions wrong = clickhouse_;
  wrong.password_file = "";
  wrong.directory = dir_ / "wrong";
  EXPECT_FALSE(open_clickhouse_store(wrong));
  wrong = clickhouse_;
  wrong.servers = clickhouse_.servers + "," + clickhouse_.servers;
  wrong.directory = dir_ / "wrong";
  EXPECT_FALSE(open_clickhouse_store(wrong));
}

INSTANTIATE_TEST_SUITE_P(Engines, ClickHouseStoreTest, testing::Values(Engine::one_server, Engine::cluster), name_of);

}  // namespace
}  // namespace redoubt::store
