// Backups of a store that takes events, seals and merges meanwhile; and what restore refuses.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "base/hash.h"
#include "store/backup/backup.h"
#include "store/backup/backup_list.h"
#include "store/events/embedded/test_events.h"
#include "store/objects/object_store.h"
#include "store/state/state_db.h"

#include <soci/soci.h>

namespace redoubt::store {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr Migration kMigrations[] = {{1, "thing", "CREATE TABLE thing (id INTEGER PRIMARY KEY)"}};

class BackupTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(base::make_directories(node_.directory));
    for (const std::string& path : {node_.ca_key(), node_.ca_certificate(), node_.key(), node_.certificate()}) {
      ASSERT_TRUE(base::write_file_atomic(path, "pem of " + path, base::kPrivateFile));
    }
    state_ = open_sqlite_state(node_.state(), kMigrations).value();
    open(Upkeep::on_demand);
  }

  void open(Upkeep upkeep) {
    events_.reset();
    auto opened = open_embedded_store(options(node_, upkeep));
    ASSERT_TRUE(opened) << opened.error().message;
    events_ = *std::move(opened);
  }
  static EmbeddedOptions options(const NodeFiles& files, Upkeep upkeep) {
    return {.directory = files.events(),
            .seal_events = 500,
            .memory_bytes_max = uint64_t{256} << 20,
            .free_bytes_min = 0,
            .upkeep = upkeep};
  }
  Result<BackupReport> back_up_to(const std::string& directory, BackupFiles files = BackupFiles::linked,
                                  const std::function<bool()>& cancelled = {}) {
    return back_up({.files = node_,
                    .events = *events_,
                    .copy_state = [this](const std::string& path) { return state_->backup(path); }},
                   {.directory = directory, .files = files, .cancelled = cancelled});
  }
  void take(uint64_t first, uint64_t last) {
    ASSERT_TRUE(test_events::append(*events_, test_events::make_frame("a", first, last)));
  }
  // How often each sequence number is there.
  static std::map<int64_t, int> numbers_in(const NodeFiles& files) {
    const auto store = open_embedded_store(options(files, Upkeep::on_demand));
    EXPECT_TRUE(store) << store.error().message;
    EXPECT_TRUE((*store)->verify({})->damage.empty());
    const auto found = (*store)->hunt(test_events::everything(1'000'000), {});
    EXPECT_FALSE(found->partial) << found->partial_why;
    std::map<int64_t, int> numbers;
    for (size_t row = 0; row < found->rows.size(); ++row) ++numbers[test_events::number_at(*found, row, 0)];
    return numbers;
  }
  static void expect_each_once(const std::map<int64_t, int>& numbers, uint64_t last) {
    EXPECT_GE(numbers.size(), last);
    for (const auto& [number, times] : numbers) EXPECT_EQ(times, 1) << number;
    for (uint64_t number = 1; number <= last; ++number) EXPECT_TRUE(numbers.contains(static_cast<int64_t>(number)));
  }
  static void expect_refused(const Result<BackupReport>& result, Errc code, const std::string& why) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, code) << result.error().message;
    EXPECT_THAT(result.error().message, HasSubstr(why));
  }
  static void write(const std::string& path, const std::string& content) {
    ASSERT_TRUE(base::write_file_atomic(path, content, base::kPrivateFile));
  }

  base::TempDir dir_;
  NodeFiles node_{dir_ / "node"};
  NodeFiles restored_{dir_ / "restored"};
  std::unique_ptr<StateDb> state_;
  std::unique_ptr<EventStore> events_;
};

TEST_F(BackupTest, what_was_acknowledged_before_it_began_is_in_it_once_while_events_come) {
  open(Upkeep::automatic);
  std::atomic<uint64_t> acknowledged = 0;
  std::atomic<uint64_t> wanted = 0;  // no more than some rounds ahead, or what is to be compared grows without end
  std::atomic<bool> done = false;
  std::thread agent([&] {
    for (uint64_t first = 1; !done; first += 50) {
      while (first > wanted + 2000 && !done) std::this_thread::yield();
      const auto frame = test_events::make_frame("a", first, first + 49);
      if (!test_events::append(*events_, frame) || !events_->mark_judged("a", "boot", first + 49)) break;
      acknowledged = first + 49;
      if (first % 1000 == 1) (void)events_->merge();
    }
  });
  uint64_t before = 0;
  for (int round = 0; round < 4; ++round) {
    wanted = before + 700;
    while (acknowledged < wanted) std::this_thread::yield();
    before = acknowledged;
    const std::string to = dir_ / ("backup-" + std::to_string(round));
    const auto made = back_up_to(to, round % 2 == 0 ? BackupFiles::linked : BackupFiles::copied);
    EXPECT_TRUE(made) << made.error().message;
    const NodeFiles restored{dir_ / ("restored-" + std::to_string(round))};
    const auto back = restore_backup(to, restored);
    EXPECT_TRUE(back) << back.error().message;
    expect_each_once(numbers_in(restored), before);
  }
  done = true;
  agent.join();
  EXPECT_EQ(acknowledged % 50, 0U);
  expect_each_once(
      [&] {
        events_.reset();
        return numbers_in(node_);
      }(),
      acknowledged);
}

TEST_F(BackupTest, brings_state_objects_and_keys_along) {
  take(1, 10);
  ASSERT_TRUE(state_->write([](soci::session& session) -> Status {
    session << "INSERT INTO thing (id) VALUES (7)";
    return {};
  }));
  const auto objects = open_object_store({.directory = node_.objects(), .free_bytes_min = 0}).value();
  const auto writer = objects->begin().value();
  ASSERT_TRUE(writer->write("content"));
  const std::string sha256 = writer->commit()->sha256;
  const auto made = back_up_to(dir_ / "backup");
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->events, 10U);
  EXPECT_GT(made->files_linked, 0U);
  EXPECT_TRUE(made->damage.empty());
  struct stat info{};
  ASSERT_EQ(stat((dir_ / "backup/ca.key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);

  ASSERT_TRUE(restore_backup(dir_ / "backup", restored_));
  expect_each_once(numbers_in(restored_), 10);
  EXPECT_EQ(*base::read_file(restored_.ca_key(), 100), "pem of " + node_.ca_key());
  EXPECT_TRUE(open_object_store({.directory = restored_.objects()}).value()->open(sha256));
  const auto state = open_sqlite_state(restored_.state(), kMigrations);
  ASSERT_TRUE(state) << state.error().message;
  int id = 0;
  ASSERT_TRUE((*state)->read([&](soci::session& session) -> Status {
    session << "SELECT id FROM thing", soci::into(id);
    return {};
  }));
  EXPECT_EQ(id, 7);
  EXPECT_TRUE(lock_directory(restored_));
  EXPECT_TRUE(fs::is_empty(node_.events() + "/tmp"));
}

TEST_F(BackupTest, one_that_was_broken_off_goes_on) {
  for (uint64_t i = 0; i < 4; ++i) {
    take(i * 10 + 1, i * 10 + 10);
    ASSERT_TRUE(events_->seal());
  }
  int asked = 0;
  expect_refused(back_up_to(dir_ / "backup", BackupFiles::copied, [&] { return ++asked > 6; }), Errc::timeout,
                 "goes on");
  expect_refused(restore_backup(dir_ / "backup", restored_), Errc::invalid_argument, "broken off");
  EXPECT_TRUE(fs::is_empty(node_.events() + "/tmp"));
  // What was copied before is merged away meanwhile.
  EXPECT_EQ(events_->merge().value(), 4U);
  const auto made = back_up_to(dir_ / "backup");
  ASSERT_TRUE(made) << made.error().message;
  ASSERT_TRUE(restore_backup(dir_ / "backup", restored_));
  EXPECT_EQ(std::distance(fs::directory_iterator(restored_.events() + "/segments"), {}), 2);
  expect_each_once(numbers_in(restored_), 40);
}

TEST_F(BackupTest, writes_over_nothing) {
  take(1, 10);
  ASSERT_TRUE(base::make_directories(dir_ / "full"));
  write(dir_ / "full/letter", "dear");
  expect_refused(back_up_to(dir_ / "full"), Errc::already_exists, "not empty");
  expect_refused(back_up_to("relative"), Errc::invalid_argument, "not absolute");
  expect_refused(back_up_to(node_.directory + "/backup"), Errc::invalid_argument, "data directory itself");
  ASSERT_TRUE(back_up_to(dir_ / "backup"));
  expect_refused(back_up_to(dir_ / "backup"), Errc::already_exists, "whole");

  expect_refused(restore_backup(dir_ / "backup", node_), Errc::already_exists, "not empty");
  expect_refused(restore_backup(dir_ / "full", restored_), Errc::not_found, "no backup");
  expect_refused(restore_backup(dir_ / "none", restored_), Errc::not_found, "no directory");
  EXPECT_FALSE(fs::exists(restored_.directory));
  const auto held = base::lock_file((base::make_directories(restored_.directory), restored_.lock()), 0);
  expect_refused(restore_backup(dir_ / "backup", restored_), Errc::already_exists, "a node runs on it");
}

TEST_F(BackupTest, restore_names_what_is_damaged) {
  take(1, 10);
  ASSERT_TRUE(events_->seal());
  ASSERT_TRUE(back_up_to(dir_ / "backup", BackupFiles::copied));
  const auto flip = [&](const std::string& path) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(100);
    const char byte = static_cast<char>(~file.get());
    file.seekp(100);
    file.put(byte);
  };
  // A segment costs its own events only.
  flip(dir_ / "backup/events/segments/1.parquet");
  const auto back = restore_backup(dir_ / "backup", restored_);
  ASSERT_TRUE(back) << back.error().message;
  ASSERT_EQ(back->damage.size(), 1U);
  EXPECT_THAT(back->damage[0].what, HasSubstr("1.parquet"));

  // The state is all or nothing, and no node starts on half a restore.
  flip(dir_ / "backup/state.db");
  const NodeFiles other{dir_ / "other"};
  expect_refused(restore_backup(dir_ / "backup", other), Errc::corrupt, "state.db is damaged");
  const auto lock = lock_directory(other);
  ASSERT_FALSE(lock);
  EXPECT_THAT(lock.error().message, HasSubstr("broken off"));
  flip(dir_ / "backup/state.db");
  EXPECT_TRUE(restore_backup(dir_ / "backup", other));
  EXPECT_TRUE(lock_directory(other));
  fs::resize_file(dir_ / "backup/state.db", 10);
  expect_refused(restore_backup(dir_ / "backup", {dir_ / "third"}), Errc::corrupt, "when the backup was made");
}

TEST(BackupList, names_that_lead_out_are_refused) {
  for (const char* name : {"../x", "/etc/x", "a/../../x", "", "./x"}) {
    EXPECT_FALSE(decode_backup_list(encode_backup_list({.files = {{.name = name}}}))) << name;
  }
  EXPECT_EQ(decode_backup_list(encode_backup_list({.files = {{.name = "a/b", .bytes = 3, .checksum = 0xabc}}}))
                ->files.at(0)
                .checksum,
            0xabcU);
  EXPECT_FALSE(decode_backup_list("{}"));
  EXPECT_EQ(decode_backup_list("{\"format\":2}").error().code, Errc::unsupported);
}

}  // namespace
}  // namespace redoubt::store
