#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "base/file.h"
#include "bench/generator.h"
#include "store/events/embedded/duck.h"
#include "store/events/embedded/manifest.h"
#include "store/events/embedded/test_events.h"

namespace redoubt::store {
namespace {

using event::Field;
using query::Expression;
using query::Operator;
using test_events::append;
using test_events::everything;
using test_events::kBaseUs;
using test_events::make_frame;
using test_events::number_at;

class EmbeddedStoreTest : public testing::Test {
 protected:
  EmbeddedOptions options() const {
    return {.directory = dir_ / "events", .memory_bytes_max = uint64_t{512} << 20, .free_bytes_min = 0};
  }

  void open(const EmbeddedOptions& options) {
    store_.reset();
    auto opened = open_embedded_store(options);
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = *std::move(opened);
  }
  void open() { open(options()); }

  HuntResult hunt(const query::Hunt& hunt) {
    auto result = store_->hunt(hunt, {});
    EXPECT_TRUE(result) << result.error().message;
    return result ? *std::move(result) : HuntResult{};
  }

  // The sequence numbers that a hunt for everything finds, newest first.
  std::vector<int64_t> all_numbers(query::Direction direction = query::Direction::descending) {
    query::Hunt wanted = everything();
    wanted.direction = direction;
    const HuntResult result = hunt(wanted);
    EXPECT_FALSE(result.partial) << result.partial_why;
    std::vector<int64_t> numbers;
    for (size_t i = 0; i < result.rows.size(); ++i) numbers.push_back(number_at(result, i, 0));
    return numbers;
  }

  void take(const test_events::TestFrame& frame) {
    const auto done = append(*store_, frame);
    ASSERT_TRUE(done) << done.error().message;
  }

  // The newest file of a directory of the store.
  std::string newest(const std::string& directory) const {
    std::set<std::string> paths;
    for (const auto& entry : std::filesystem::directory_iterator(dir_ / "events/" + directory))
      paths.insert(entry.path());
    return paths.empty() ? "" : *paths.rbegin();
  }
  size_t files_in(const std::string& directory) const {
    size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(dir_ / "events/" + directory))
      ++count;
    return count;
  }

  base::TempDir dir_;
  std::unique_ptr<EventStore> store_;
};

TEST_F(EmbeddedStoreTest, finds_events_in_the_tail_in_segments_and_after_reopening) {
  open();
  take(make_frame("a", 1, 3));
  EXPECT_EQ(all_numbers(), (std::vector<int64_t>{3, 2, 1}));
  ASSERT_TRUE(store_->seal());
  take(make_frame("a", 4, 5));
  EXPECT_EQ(all_numbers(), (std::vector<int64_t>{5, 4, 3, 2, 1}));
  EXPECT_EQ(store_->stats().segments, 1U);
  EXPECT_EQ(store_->stats().tail_events, 2U);
  open();
  EXPECT_EQ(all_numbers(query::Direction::ascending), (std::vector<int64_t>{1, 2, 3, 4, 5}));
  EXPECT_EQ(store_->stats().events, 5U);
  EXPECT_EQ(store_->stored_sequence("a", "boot"), 5U);
  EXPECT_EQ(store_->stored_sequence("b", "boot"), 0U);
}

TEST_F(EmbeddedStoreTest, gives_every_field_by_its_canonical_name) {
  open();
  take(make_frame("a", 1, 1));
  ASSERT_TRUE(store_->seal());
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

TEST_F(EmbeddedStoreTest, works_in_a_directory_with_blanks_and_quotes_and_a_long_name) {
  EmbeddedOptions odd = options();
  odd.directory = dir_ / "my 'events' here " + std::string(200, 'x') + "/" + std::string(200, 'y') + "/events";
  ASSERT_TRUE(base::make_directories(odd.directory));
  open(odd);
  take(make_frame("a", 1, 3));
  ASSERT_TRUE(store_->seal());
  EXPECT_EQ(all_numbers(), (std::vector<int64_t>{3, 2, 1}));
}

// Whatever SQL got to the database: it reads and writes the store's own directories and nothing else, for good.
TEST(Duck, is_locked_down) {
  const base::TempDir dir;
  for (const char* name : {"segments", "temporary"}) ASSERT_TRUE(base::make_directories(dir / name));
  const auto duck = embedded::Duck::open({.segment_directory = dir / "segments",
                                          .temporary_directory = dir / "temporary",
                                          .memory_bytes_max = uint64_t{64} << 20});
  ASSERT_TRUE(duck) << duck.error().message;
  const auto session = (*duck)->connect().value();
  const std::string inside = embedded::sql_quoted(dir / "segments/x.parquet");
  EXPECT_TRUE(session->run("COPY (SELECT 1 AS one) TO " + inside + " (FORMAT parquet)"));
  EXPECT_TRUE(session->run("SELECT * FROM read_parquet(" + inside + ")"));
  const std::string outside = embedded::sql_quoted(dir / "outside");
  const std::string climbing = embedded::sql_quoted(dir / "segments/../outside");
  for (const std::string& sql :
       {"COPY (SELECT 1) TO " + outside, "COPY (SELECT 1) TO " + climbing, "ATTACH " + outside + " AS other",
        std::string("SELECT * FROM read_text('/etc/passwd')"), std::string("SELECT * FROM read_csv('/etc/passwd')"),
        std::string("SELECT * FROM glob('/etc/*')"),
        std::string("SELECT * FROM read_parquet('https://example.invalid/x')"), std::string("INSTALL httpfs"),
        std::string("LOAD httpfs"), "EXPORT DATABASE " + outside, std::string("SET enable_external_access=true"),
        std::string("SET lock_configuration=false"), std::string("SET memory_limit='1TB'"),
        std::string("SET allowed_directories=['/']")}) {
    EXPECT_FALSE(session->run(sql)) << sql;
  }
  EXPECT_FALSE(std::filesystem::exists(dir / "outside"));
}

TEST_F(EmbeddedStoreTest, stores_repeated_and_overlapping_frames_once) {
  open();
  take(make_frame("a", 1, 10));
  const auto repeated = append(*store_, make_frame("a", 1, 10));
  ASSERT_TRUE(repeated);
  EXPECT_EQ(repeated->events_new, 0U);
  EXPECT_EQ(repeated->events_repeated, 10U);
  const auto overlapping = append(*store_, make_frame("a", 6, 15));
  ASSERT_TRUE(overlapping);
  EXPECT_EQ(overlapping->events_new, 5U);
  EXPECT_EQ(overlapping->events_repeated, 5U);
  EXPECT_EQ(overlapping->last_sequence, 15U);
  take(make_frame("b", 1, 1));
  EXPECT_EQ(all_numbers().size(), 16U);
  open();
  EXPECT_EQ(all_numbers().size(), 16U);
  ASSERT_TRUE(store_->seal());
  take(make_frame("a", 10, 16));
  EXPECT_EQ(all_numbers().size(), 17U);
  open();
  EXPECT_EQ(all_numbers().size(), 17U);
}

TEST_F(EmbeddedStoreTest, refuses_frames_that_are_not_what_they_say) {
  open();
  auto frame = make_frame("a", 1, 10);
  frame.frame.last_sequence = 1'000'000;
  EXPECT_EQ(append(*store_, frame).error().code, Errc::invalid_argument);
  frame = make_frame("a", 1, 10);
  frame.frame.events = 9;
  EXPECT_EQ(append(*store_, frame).error().code, Errc::invalid_argument);
  frame = make_frame("\xff", 1, 10);
  EXPECT_EQ(append(*store_, frame).error().code, Errc::invalid_argument);
  frame = make_frame("", 1, 10);
  EXPECT_EQ(append(*store_, frame).error().code, Errc::invalid_argument);
  EXPECT_EQ(store_->stored_sequence("a", "boot"), 0U);
}

TEST_F(EmbeddedStoreTest, takes_nothing_when_the_disk_is_nearly_full) {
  EmbeddedOptions full = options();
  full.free_bytes_min = uint64_t{1} << 62;
  open(full);
  EXPECT_EQ(append(*store_, make_frame("a", 1, 1)).error().code, Errc::exhausted);
}

// A file system of so many bytes over a directory.
class SmallDisk {
 public:
  SmallDisk(std::string path, uint64_t bytes) : path_(std::move(path)) {
    EXPECT_TRUE(base::make_directories(path_));
    mounted_ = mount("redoubt", path_.c_str(), "tmpfs", 0, size(bytes).c_str()) == 0;
  }
  ~SmallDisk() {
    if (mounted_) umount2(path_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  bool mounted() const { return mounted_; }
  bool grow(uint64_t bytes) { return mount(nullptr, path_.c_str(), nullptr, MS_REMOUNT, size(bytes).c_str()) == 0; }

 private:
  static std::string size(uint64_t bytes) { return "size=" + std::to_string(bytes); }
  const std::string path_;
  bool mounted_ = false;
};

TEST_F(EmbeddedStoreTest, a_filled_disk_costs_nothing_that_was_acknowledged) {
  constexpr uint64_t kFrameEvents = 500, kFramesMax = 5000;
  SmallDisk disk(dir_ / "events", uint64_t{3} << 20);
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  ASSERT_TRUE(disk.mounted());
  EmbeddedOptions by_hand = options();
  by_hand.upkeep = Upkeep::on_demand;
  open(by_hand);
  // Each event by itself: an index that counts would not tell what can be read.
  const auto found = [&] {
    query::Hunt distinct = everything();
    distinct.aggregate = query::CountBy{.field = Field::event_sequence, .top = 1'000'000};
    return hunt(distinct).rows.size();
  };
  uint64_t last = 0;
  std::optional<Error> error;
  while (!error && last < kFramesMax * kFrameEvents) {
    const auto done = append(*store_, make_frame("a", last + 1, last + kFrameEvents));
    if (done)
      last += kFrameEvents;
    else
      error = done.error();
  }
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, Errc::exhausted) << error->message;
  EXPECT_EQ(store_->stored_sequence("a", "boot"), last);
  EXPECT_EQ(store_->stats().events, last);
  const Status sealed = store_->seal();
  ASSERT_FALSE(sealed);
  EXPECT_EQ(sealed.error().code, Errc::exhausted) << sealed.error().message;
  EXPECT_EQ(found(), last);

  ASSERT_TRUE(disk.grow(uint64_t{128} << 20));
  take(make_frame("a", last + 1, last + kFrameEvents));
  ASSERT_TRUE(store_->seal());
  EXPECT_EQ(found(), last + kFrameEvents);
  open(by_hand);
  EXPECT_EQ(found(), last + kFrameEvents);
  store_.reset();
}

TEST_F(EmbeddedStoreTest, lets_one_process_open_a_directory) {
  open();
  EXPECT_EQ(open_embedded_store(options()).error().code, Errc::already_exists);
}

TEST_F(EmbeddedStoreTest, seals_by_itself_at_its_size) {
  EmbeddedOptions small = options();
  small.seal_events = 100;
  open(small);
  for (uint64_t first = 1; first < 1000; first += 50) take(make_frame("a", first, first + 49));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (store_->stats().tail_events >= 100 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_GE(store_->stats().segments, 3U);
  EXPECT_EQ(all_numbers().size(), 1000U);
}

TEST_F(EmbeddedStoreTest, seals_by_itself_at_its_age) {
  EmbeddedOptions hasty = options();
  hasty.seal_age_us = 1000;
  open(hasty);
  take(make_frame("a", 1, 5));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (store_->stats().segments == 0 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_EQ(store_->stats().segments, 1U);
}

TEST_F(EmbeddedStoreTest, limits_and_prunes_by_time) {
  open();
  for (uint64_t segment = 0; segment < 5; ++segment) {
    take(make_frame("a", segment * 10 + 1, segment * 10 + 10));
    ASSERT_TRUE(store_->seal());
  }
  // Late events: a segment of their own that overlaps older ones.
  take(make_frame("b", 15, 25));
  query::Hunt newest = everything(3);
  EXPECT_EQ(number_at(hunt(newest), 2, 0), 48);
  newest.until = base::Time{kBaseUs + 21 * base::kSecondUs};
  const HuntResult before = hunt(newest);
  ASSERT_EQ(before.rows.size(), 3U);
  EXPECT_EQ(number_at(before, 0, 0), 20);
  EXPECT_EQ(number_at(before, 1, 0), 20);
  EXPECT_EQ(number_at(before, 2, 0), 19);
  query::Hunt oldest = everything(12);
  oldest.direction = query::Direction::ascending;
  oldest.since = base::Time{kBaseUs + 12 * base::kSecondUs};
  const HuntResult after = hunt(oldest);
  ASSERT_EQ(after.rows.size(), 12U);
  EXPECT_EQ(number_at(after, 0, 0), 12);
  EXPECT_EQ(number_at(after, 11, 0), 19);
  query::Hunt window = everything();
  window.since = base::Time{kBaseUs + 35 * base::kSecondUs};
  window.until = base::Time{kBaseUs + 45 * base::kSecondUs};
  EXPECT_EQ(hunt(window).rows.size(), 10U);
}

TEST_F(EmbeddedStoreTest, walks_to_the_oldest_segment_for_a_rare_event) {
  open();
  for (uint64_t segment = 0; segment < 12; ++segment) {
    take(make_frame("a", segment * 10 + 1, segment * 10 + 10));
    ASSERT_TRUE(store_->seal());
  }
  query::Hunt rare = everything(5);
  rare.where = Expression::test(Field::process_name, Operator::equal, {std::string("P4")});
  const HuntResult result = hunt(rare);
  ASSERT_EQ(result.rows.size(), 1U);
  EXPECT_EQ(number_at(result, 0, 0), 4);
}

// More segments than are looked through at once, which overlap.
TEST_F(EmbeddedStoreTest, tells_the_first_rows_while_it_looks_for_others) {
  open();
  for (uint64_t segment = 0; segment < 40; ++segment) {
    take(make_frame("a", segment * 10 + 1, segment * 10 + 10));
    take(make_frame("b", segment * 10 + 1, segment * 10 + 12));
    ASSERT_TRUE(store_->seal());
  }
  query::Hunt few = everything(10);
  query::Hunt oldest = everything(1000);
  oldest.direction = query::Direction::ascending;
  const query::Hunt all = everything(1000);
  for (const auto* hunt : std::initializer_list<const query::Hunt*>{&all, &few, &oldest}) {
    std::vector<std::vector<Cell>> told;
    const auto result = store_->hunt(*hunt, {}, [&](const HuntResult& part) {
      EXPECT_FALSE(part.rows.empty());
      EXPECT_EQ(part.columns.size(), hunt->fields.size());
      told.insert(told.end(), part.rows.begin(), part.rows.end());
    });
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(result->rows, this->hunt(*hunt).rows);
    ASSERT_LE(told.size(), result->rows.size());
    EXPECT_TRUE(std::equal(told.begin(), told.end(), result->rows.begin()));
    EXPECT_EQ(told.empty(), hunt == &oldest);
    EXPECT_EQ(told.size() < result->rows.size(), hunt == &all || hunt == &oldest);
  }
}

TEST_F(EmbeddedStoreTest, compares_without_case_and_by_prefix_of_addresses) {
  open();
  take(make_frame("a", 1, 4, [](v1::Event& event) {
    event.set_event_type(v1::EVENT_TYPE_CONNECTION);
    if (event.event_sequence() != 4) event.set_destination_ip("10.1.2." + std::to_string(event.event_sequence()));
    event.set_process_name(event.event_sequence() == 1 ? "CAFÉ" : "tea");
  }));
  const auto count = [&](Expression where) {
    query::Hunt wanted = everything();
    wanted.where = std::move(where);
    return hunt(wanted).rows.size();
  };
  for (int sealed = 0; sealed < 2; ++sealed) {
    EXPECT_EQ(count(Expression::test(Field::process_name, Operator::equal, {std::string("café")})), 1U);
    EXPECT_EQ(count(Expression::test(Field::process_command_line, Operator::contains, {std::string("http://EXAMPLE")})),
              4U);
    EXPECT_EQ(count(Expression::test(Field::destination_ip, Operator::cidr, {std::string("10.1.2.2/31")})), 2U);
    EXPECT_EQ(count(Expression::negate(
                  Expression::test(Field::destination_ip, Operator::cidr, {std::string("10.1.2.2/31")}))),
              2U);
    ASSERT_TRUE(store_->seal());
  }
}

TEST_F(EmbeddedStoreTest, counts_over_tail_and_segments) {
  open();
  take(make_frame("a", 1, 6));
  ASSERT_TRUE(store_->seal());
  take(make_frame("b", 1, 4));
  query::Hunt by_host;
  by_host.aggregate = query::CountBy{.field = Field::host_id};
  const HuntResult counted = hunt(by_host);
  ASSERT_EQ(counted.rows.size(), 2U);
  EXPECT_EQ(counted.rows[0][0], Cell{std::string("a")});
  EXPECT_EQ(number_at(counted, 0, 1), 6);
  const auto histogram = store_->histogram({}, 5 * base::kSecondUs, {});
  ASSERT_TRUE(histogram) << histogram.error().message;
  int64_t events = 0;
  for (size_t i = 0; i < histogram->rows.size(); ++i) events += number_at(*histogram, i, 1);
  EXPECT_EQ(events, 10);
  EXPECT_EQ(number_at(*histogram, 0, 0) % (5 * base::kSecondUs), 0);
}

TEST_F(EmbeddedStoreTest, remembers_activity_and_declared_losses) {
  open();
  take(make_frame("a", 1, 3));
  take(make_frame("a", 4, 4, [](v1::Event& event) {
    event.set_event_type(v1::EVENT_TYPE_LOSS);
    event.set_loss_count(17);
  }));
  for (int round = 0; round < 3; ++round) {
    const auto hosts = store_->activity();
    ASSERT_EQ(hosts.size(), 1U);
    EXPECT_EQ(hosts[0].host_id, "a");
    EXPECT_EQ(hosts[0].events, 4U);
    EXPECT_EQ(hosts[0].events_lost, 17U);
    EXPECT_EQ(hosts[0].last_event_us, kBaseUs + 4 * base::kSecondUs);
    if (round == 1) {
      ASSERT_TRUE(store_->seal());
    }
    open();
  }
}

TEST_F(EmbeddedStoreTest, replays_what_was_not_judged_and_keeps_its_spool) {
  open();
  take(make_frame("a", 1, 3));
  take(make_frame("a", 4, 6));
  take(make_frame("b", 1, 2));
  ASSERT_TRUE(store_->mark_judged("a", "boot", 3));
  EXPECT_EQ(store_->mark_judged("c", "boot", 3).error().code, Errc::not_found);
  ASSERT_TRUE(store_->seal());
  EXPECT_EQ(files_in("spool"), 2U);
  const auto replay = [&] {
    std::vector<std::string> judged;
    EXPECT_TRUE(store_->replay_unjudged([&](const std::string& host, const event::Batch& batch) -> Status {
                        judged.push_back(host + std::to_string(batch.row(0).integer(Field::event_sequence)));
                        return judged.size() == 2 ? fail(Errc::unavailable, "not now") : Status{};
                      })
                        .error()
                        .code == Errc::unavailable ||
                judged.size() < 2);
    return judged;
  };
  open();
  EXPECT_EQ(replay(), (std::vector<std::string>{"a4", "b1"}));
  open();
  EXPECT_EQ(replay(), (std::vector<std::string>{"b1"}));
  EXPECT_TRUE(replay().empty());
  EXPECT_EQ(all_numbers().size(), 8U);
  take(make_frame("b", 3, 3));
  ASSERT_TRUE(store_->seal());
  EXPECT_EQ(files_in("spool"), 2U);  // b3 is not judged
  ASSERT_TRUE(store_->mark_judged("b", "boot", 3));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (files_in("spool") > 1 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_EQ(files_in("spool"), 1U);
}

TEST_F(EmbeddedStoreTest, cuts_a_torn_spool_end_and_goes_on) {
  open();
  take(make_frame("a", 1, 3));
  take(make_frame("a", 4, 6));
  store_.reset();
  const std::string path = newest("spool");
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 5);
  open();
  EXPECT_EQ(all_numbers().size(), 3U);
  EXPECT_EQ(store_->stored_sequence("a", "boot"), 3U);
  take(make_frame("a", 4, 6));
  open();
  EXPECT_EQ(all_numbers().size(), 6U);
}

TEST_F(EmbeddedStoreTest, skips_damage_in_the_middle_of_the_spool) {
  open();
  take(make_frame("a", 1, 3));
  take(make_frame("b", 1, 3));
  store_.reset();
  std::fstream file(newest("spool"), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(100);
  file.put('\xff').put('\xff');
  file.close();
  open();
  EXPECT_EQ(all_numbers().size(), 3U);
  EXPECT_EQ(store_->stored_sequence("b", "boot"), 3U);
}

TEST_F(EmbeddedStoreTest, answers_without_a_damaged_segment_and_says_so) {
  open();
  for (uint64_t segment = 0; segment < 3; ++segment) {
    take(make_frame("a", segment * 10 + 1, segment * 10 + 10));
    ASSERT_TRUE(store_->seal());
  }
  store_.reset();
  const std::string path = newest("segments");
  const std::string noise(std::filesystem::file_size(path), 'x');
  std::ofstream(path, std::ios::binary | std::ios::trunc) << noise;
  open();
  const HuntResult walked = hunt(everything());
  EXPECT_EQ(walked.rows.size(), 20U);
  EXPECT_TRUE(walked.partial);
  EXPECT_NE(walked.partial_why.find("segment 3 is damaged"), std::string::npos) << walked.partial_why;
  query::Hunt counted;
  counted.aggregate = query::CountBy{.field = Field::host_id};
  const HuntResult counts = hunt(counted);
  EXPECT_TRUE(counts.partial);
  ASSERT_EQ(counts.rows.size(), 1U);
  EXPECT_EQ(number_at(counts, 0, 1), 20);
  std::filesystem::remove(path);
  EXPECT_TRUE(hunt(everything()).partial);
}

TEST_F(EmbeddedStoreTest, notices_damage_inside_a_segment) {
  open();
  for (uint64_t segment = 0; segment < 2; ++segment) {
    take(make_frame("a", segment * 500 + 1, segment * 500 + 500));
    ASSERT_TRUE(store_->seal());
  }
  store_.reset();
  // Somewhere in the pages; the footer stays whole.
  std::fstream file(newest("segments"), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(4);
  const std::string noise(2000, '\x5a');
  file.write(noise.data(), static_cast<std::streamsize>(noise.size()));
  file.close();
  open();
  const HuntResult found = hunt({.limit = 10'000});
  EXPECT_TRUE(found.partial);
  EXPECT_EQ(found.rows.size(), 500U);
}

TEST_F(EmbeddedStoreTest, removes_files_that_a_crash_left) {
  open();
  take(make_frame("a", 1, 3));
  ASSERT_TRUE(store_->seal());
  store_.reset();
  std::ofstream(dir_ / "events/segments/9.parquet") << "written, not in the manifest";
  std::ofstream(dir_ / "events/segments/10.parquet.tmp") << "half";
  open();
  EXPECT_EQ(files_in("segments"), 2U);  // with its index
  EXPECT_EQ(all_numbers().size(), 3U);
}

TEST_F(EmbeddedStoreTest, expires_the_oldest_by_age_and_by_size) {
  EmbeddedOptions aged = options();
  open();
  for (uint64_t segment = 0; segment < 3; ++segment) {
    take(make_frame("a", segment * 10 + 1, segment * 10 + 10));
    ASSERT_TRUE(store_->seal());
  }
  const uint64_t bytes = store_->stats().segment_bytes;
  aged.disk_bytes_max = bytes - 1;
  open(aged);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (store_->stats().segments > 2 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_EQ(all_numbers().back(), 11);
  aged.disk_bytes_max = 0;
  aged.retention_us = base::Time::now().us - (kBaseUs + 25 * base::kSecondUs);
  open(aged);
  ASSERT_TRUE(store_->expire());
  EXPECT_EQ(all_numbers().back(), 21);
  EXPECT_EQ(files_in("segments"), 2U);  // with its index
  EXPECT_EQ(store_->stored_sequence("a", "boot"), 30U);
  EXPECT_EQ(append(*store_, make_frame("a", 1, 10))->events_new, 0U);  // gone, and still not taken twice
}

TEST_F(EmbeddedStoreTest, keeps_late_events_apart) {
  open();
  take(make_frame("a", 1, 5, [](v1::Event& event) {
    if (event.event_sequence() <= 2) event.set_event_time(kBaseUs - 240 * 3600 * base::kSecondUs);
  }));
  ASSERT_TRUE(store_->seal());
  EXPECT_EQ(store_->stats().segments, 2U);
  EXPECT_EQ(all_numbers().size(), 5U);
  EmbeddedOptions aged = options();
  aged.retention_us = base::Time::now().us - (kBaseUs - 24 * 3600 * base::kSecondUs);
  open(aged);
  ASSERT_TRUE(store_->expire());
  EXPECT_EQ(all_numbers(), (std::vector<int64_t>{5, 4, 3}));
}

TEST_F(EmbeddedStoreTest, merges_small_segments) {
  open();
  for (uint64_t segment = 0; segment < 6; ++segment) {
    take(make_frame(segment % 2 == 0 ? "a" : "b", segment / 2 * 10 + 1, segment / 2 * 10 + 10, [](v1::Event& event) {
      if (event.event_sequence() == 7) event.set_file_path("/tmp/x");
    }));
    ASSERT_TRUE(store_->seal());
    EXPECT_EQ(store_->merge().value(), segment < 3 ? 0U : segment == 3 ? 4U : 0U);
  }
  EXPECT_EQ(store_->stats().segments, 3U);
  query::Hunt hunted;
  hunted.limit = 1000;
  const HuntResult before = hunt(hunted);
  EXPECT_EQ(before.rows.size(), 60U);
  open();
  EXPECT_EQ(files_in("segments"), 6U);
  EXPECT_EQ(hunt(hunted).rows, before.rows);
  query::Hunt lines = everything();
  lines.where = query::normalize(Expression::test(Field::process_command_line, Operator::contains, {"ORG/17"})).value();
  EXPECT_EQ(hunt(lines).rows.size(), 2U);
  EXPECT_EQ(store_->stored_sequence("a", "boot"), 30U);
}

TEST_F(EmbeddedStoreTest, leaves_damaged_segments_out_of_a_merge) {
  open();
  for (uint64_t segment = 0; segment < 5; ++segment) {
    take(make_frame("a", segment * 10 + 1, segment * 10 + 10));
    ASSERT_TRUE(store_->seal());
  }
  store_.reset();
  const std::string path = dir_ / "events/segments/2.parquet";
  const std::string noise(std::filesystem::file_size(path), 'x');
  std::ofstream(path, std::ios::binary | std::ios::trunc) << noise;
  open();
  EXPECT_FALSE(store_->merge());
  EXPECT_EQ(store_->merge().value(), 4U);
  const HuntResult left = hunt(everything());
  EXPECT_EQ(left.rows.size(), 40U);
  EXPECT_NE(left.partial_why.find("segment 2 is damaged"), std::string::npos) << left.partial_why;
}

TEST_F(EmbeddedStoreTest, reads_segments_of_an_older_schema) {
  open();
  take(make_frame("a", 1, 3));
  ASSERT_TRUE(store_->seal());
  store_.reset();
  // The segment as a version without process.pid would have written it.
  const std::string path = newest("segments");
  auto duck = embedded::Duck::open({.segment_directory = dir_ / "events/segments",
                                    .temporary_directory = dir_ / "events/tmp",
                                    .memory_bytes_max = uint64_t{256} << 20});
  ASSERT_TRUE(duck) << duck.error().message;
  auto session = (*duck)->connect();
  ASSERT_TRUE((*session)->run("COPY (SELECT * EXCLUDE (process_pid) FROM '" + path + "') TO '" + path +
                              ".old' (FORMAT parquet)"));
  std::filesystem::rename(path + ".old", path);
  auto manifest = embedded::Manifest::open(dir_ / "events/manifest.db");
  ASSERT_TRUE(manifest) << manifest.error().message;
  auto segment = (*manifest)->segments().value().at(0);
  segment.bytes = std::filesystem::file_size(path);
  segment.columns.erase(segment.columns.find("process_pid "), std::string_view("process_pid ").size());
  ASSERT_TRUE((*manifest)->remove({segment.number}));
  ASSERT_TRUE((*manifest)->add({.segments = {segment}, .sequences = {}, .hosts = {}}));
  manifest->reset();
  open();
  take(make_frame("a", 4, 6));
  for (int sealed = 0; sealed < 2; ++sealed) {
    EXPECT_EQ(all_numbers().size(), 6U);
    query::Hunt counted;
    counted.where = Expression::test(Field::process_pid, Operator::exists, {});
    counted.aggregate = query::CountBy{.field = Field::host_id};
    EXPECT_EQ(number_at(hunt(counted), 0, 1), 3);
    ASSERT_TRUE(store_->seal());
  }
}

TEST_F(EmbeddedStoreTest, stops_at_the_time_limit_and_when_cancelled) {
  open();
  bench::Generator generator({.hosts = 20});
  for (int i = 0; i < 300; ++i) {
    const auto made = generator.next();
    ASSERT_TRUE(store_->append(made.host_id, made.frame, made.batch));
  }
  const auto cancelled = store_->hunt({}, {.cancelled = [] { return true; }});
  ASSERT_TRUE(cancelled) << cancelled.error().message;
  EXPECT_EQ(cancelled->partial_why, "cancelled");
  std::vector<Expression> tests;
  for (int i = 0; i < 3000; ++i) {
    tests.push_back(
        Expression::test(Field::process_command_line, Operator::contains, {"no such " + std::to_string(i)}));
  }
  query::Hunt slow;
  slow.where = Expression::any_of(std::move(tests));
  const auto late = store_->hunt(slow, {.time_ms_max = 50});
  ASSERT_TRUE(late) << late.error().message;
  EXPECT_EQ(late->partial_why, "time limit of 50 ms");
  EXPECT_EQ(late->columns.size(), event::kFieldCount);
  slow.aggregate = query::CountBy{.field = Field::process_command_line};
  const auto counted = store_->hunt(slow, {.time_ms_max = 50});
  ASSERT_TRUE(counted) << counted.error().message;
  EXPECT_TRUE(counted->partial);
  EXPECT_TRUE(counted->rows.empty());
  EXPECT_EQ(counted->columns.size(), 2U);
  EXPECT_EQ(hunt({}).rows.size(), 100U);  // and the next one is not hurt
}

TEST_F(EmbeddedStoreTest, shows_each_event_once_while_it_seals) {
  EmbeddedOptions small = options();
  small.seal_events = 2000;
  open(small);
  constexpr uint64_t kEvents = 20'000;
  std::atomic<bool> done = false;
  std::atomic<uint64_t> durable = 0;
  std::thread writer([&] {
    for (uint64_t first = 1; first < kEvents; first += 100) {
      ASSERT_TRUE(append(*store_, make_frame("a", first, first + 99)));
      durable = first + 99;
    }
    done = true;
  });
  while (!done) {
    const uint64_t before = durable;
    query::Hunt counted;
    counted.aggregate = query::CountBy{.field = Field::host_id};
    const HuntResult counts = hunt(counted);
    if (counts.rows.empty()) continue;
    const auto seen = static_cast<uint64_t>(number_at(counts, 0, 1));
    EXPECT_GE(seen, before);
    EXPECT_LE(seen, durable + 100);
    query::Hunt newest = everything(500);
    const HuntResult top = hunt(newest);
    std::set<int64_t> numbers;
    for (size_t i = 0; i < top.rows.size(); ++i) numbers.insert(number_at(top, i, 0));
    EXPECT_EQ(numbers.size(), top.rows.size());
    EXPECT_EQ(static_cast<uint64_t>(*numbers.rbegin() - *numbers.begin() + 1), numbers.size());
  }
  writer.join();
  EXPECT_EQ(store_->stats().events, kEvents);
}

TEST_F(EmbeddedStoreTest, takes_many_threads_at_once) {
  open();
  std::vector<std::thread> threads;
  for (int host = 0; host < 8; ++host) {
    threads.emplace_back([&, host] {
      for (uint64_t first = 1; first < 200; first += 20) {
        ASSERT_TRUE(append(*store_, make_frame("h" + std::to_string(host), first, first + 19)));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(all_numbers().size(), 1600U);
  open();
  EXPECT_EQ(all_numbers().size(), 1600U);
}

// Hunts that take the memory must cost nobody an event: append() may say "try again later", and then it does.
TEST_F(EmbeddedStoreTest, loses_nothing_when_memory_is_short) {
  EmbeddedOptions poor = options();
  poor.memory_bytes_max = kStoreMemoryBytesMin;
  open(poor);
  std::atomic<bool> done = false;
  std::thread hunter([&] {
    query::Hunt greedy;
    greedy.aggregate = query::CountBy{.field = Field::process_command_line};
    while (!done) (void)store_->hunt(greedy, {});
  });
  bench::Generator generator({.hosts = 10, .frame_events_min = 200, .frame_events_max = 600});
  uint64_t events = 0;
  uint64_t refused = 0;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (events < 15'000) {
    const auto made = generator.next();
    while (std::chrono::steady_clock::now() < deadline) {
      const auto taken = store_->append(made.host_id, made.frame, made.batch);
      if (taken) break;
      ASSERT_EQ(taken.error().code, Errc::exhausted) << taken.error().message;
      ++refused;
    }
    events += made.frame.events;
  }
  done = true;
  hunter.join();
  EXPECT_LT(std::chrono::steady_clock::now(), deadline);
  open();
  query::Hunt counted;
  counted.aggregate = query::CountBy{.field = Field::host_id, .top = 10};
  const HuntResult counts = hunt(counted);
  uint64_t found = 0;
  for (size_t i = 0; i < counts.rows.size(); ++i) found += static_cast<uint64_t>(number_at(counts, i, 1));
  EXPECT_EQ(found, events) << refused << " times refused";
  EXPECT_EQ(store_->stats().events, events);
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

// Prints what a run on this machine gives; nothing is asserted but that it works.
TEST_F(EmbeddedStoreTest, measures_itself) {
  open();
  const char* wanted = std::getenv("REDOUBT_STORE_EVENTS");
  const uint64_t events = wanted != nullptr ? std::stoull(wanted) : 10'000;
  bench::Generator generator({});
  std::vector<bench::Generated> made;
  for (uint64_t count = 0; count < events; count += made.back().frame.events) made.push_back(generator.next());
  const auto start = std::chrono::steady_clock::now();
  double cpu = cpu_seconds();
  for (const auto& one : made) {
    const auto done = store_->append(one.host_id, one.frame, one.batch);
    ASSERT_TRUE(done) << done.error().message;
  }
  const std::chrono::duration<double> appended = std::chrono::steady_clock::now() - start;
  const double cpu_append = cpu_seconds() - cpu;
  cpu = cpu_seconds();
  ASSERT_TRUE(store_->seal());
  const double cpu_seal = cpu_seconds() - cpu;
  const StoreStats stats = store_->stats();
  const auto count = static_cast<double>(stats.events);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf(
      "events %.0f: append %.0f/s, %.0f/cpu-s; seal %.0f/cpu-s; segments %.1f B/event, spool %.1f B/event, peak %ld "
      "MiB\n",
      count, count / appended.count(), count / cpu_append, count / cpu_seal,
      static_cast<double>(stats.segment_bytes) / count, static_cast<double>(stats.spool_bytes) / count,
      usage.ru_maxrss / 1024);
}

}  // namespace
}  // namespace redoubt::store
