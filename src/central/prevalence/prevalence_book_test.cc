#include "central/prevalence/prevalence_book.h"

#include <gtest/gtest.h>

#include <chrono>

#include "base/file.h"
#include "central/prevalence/command_shape.h"
#include "central/state_schema.h"
#include "central/test_events.h"

namespace redoubt::central {
namespace {

using event::Field;
using testing::process_event;

constexpr base::Time kDay{20'000 * base::kDayUs};
base::Time later(int days) { return {kDay.us + days * base::kDayUs}; }

TEST(CommandShape, leaves_what_stays_the_same) {
  EXPECT_EQ(command_shape("gcc -o /tmp/ccQx3f.o a12.c"), "gcc -o /tmp/*.o a0.c");
  EXPECT_EQ(command_shape("python3 -m http.server 8000"), "python0 -m http.server 0");
  EXPECT_EQ(command_shape("git show 4f1c2ab9d1"), "git show *");
  EXPECT_EQ(command_shape("run 123e4567-e89b-12d3-a456-426614174000"), "run *");
  EXPECT_EQ(command_shape("cat deadbeefdeadbeefdeadbeef cafe"), "cat * cafe");
  EXPECT_EQ(command_shape("sh -c id; uname -a"), "sh -c id; uname -a");
  EXPECT_EQ(command_shape("/tmp/payload --x86 /dev/shm/.k"), "/tmp/* --x0 /dev/shm/.k");
  EXPECT_EQ(command_shape(""), "");
  EXPECT_EQ(command_shape(std::string(100'000, '-')).size(), kCommandShapeMax);
}

class PrevalenceTest : public ::testing::Test {
 protected:
  void open(base::Time now = kDay, size_t keys_max = kPrevalenceKeysMax) {
    book_.reset();
    book_ = PrevalenceBook::open(*state_, metrics_, now, keys_max).value();
  }

  // The number on the one event, -1 where there is none.
  int64_t seen(const v1::Event& event, const std::string& host, base::Time now = kDay,
               Field field = Field::prevalence_executable) {
    event::Batch batch = testing::batch_of(testing::frame_of({event}, host));
    book_->note(host, batch, now);
    const auto value = batch.row(0).get(field);
    return value.present() ? value.integer() : -1;
  }
  int64_t program(const std::string& path, const std::string& host, base::Time now = kDay) {
    return seen(process_event(1, 1, 2, path), host, now);
  }

  base::TempDir directory_;
  base::Metrics metrics_;
  std::unique_ptr<store::StateDb> state_ =
      store::open_sqlite_state(directory_ / "state.db", state_migrations()).value();
  std::unique_ptr<PrevalenceBook> book_;
};

TEST_F(PrevalenceTest, counts_hosts_and_not_events) {
  open();
  EXPECT_EQ(program("/bin/ls", "a"), 1);
  EXPECT_EQ(program("/bin/ls", "a"), 1);
  EXPECT_EQ(program("/bin/ls", "b"), 2);
  EXPECT_EQ(program("/bin/rm", "b"), 1);
  for (int i = 0; i < 40; ++i) program("/bin/ls", "host" + std::to_string(i));
  EXPECT_EQ(program("/bin/ls", "a"), static_cast<int64_t>(kPrevalenceHostsMax));
}

TEST_F(PrevalenceTest, tells_programs_apart_by_their_hash) {
  open();
  v1::Event event = process_event(1, 1, 0, "/bin/ls");
  event.set_process_hash_sha256(std::string(64, 'a'));
  EXPECT_EQ(seen(event, "a"), 1);
  EXPECT_EQ(seen(event, "b"), 2);
  event.set_process_hash_sha256(std::string(64, 'b'));
  EXPECT_EQ(seen(event, "c"), 1);
}

TEST_F(PrevalenceTest, counts_shapes_parents_and_destinations) {
  open();
  v1::Event event = process_event(1, 1, 2, "/bin/ls");
  event.set_process_command_line("ls -l /srv/1");
  EXPECT_EQ(seen(event, "a", kDay, Field::prevalence_command_line), 1);
  event.set_process_command_line("ls -l /srv/77");
  EXPECT_EQ(seen(event, "b", kDay, Field::prevalence_command_line), 2);
  EXPECT_EQ(seen(event, "b", kDay, Field::prevalence_parent), 2);
  EXPECT_EQ(seen(event, "b", kDay, Field::prevalence_destination), -1);
  v1::Event connection;
  connection.set_event_type(v1::EVENT_TYPE_CONNECTION);
  connection.set_event_sequence(1);
  connection.set_event_time(1);
  connection.set_network_direction("outbound");
  connection.set_destination_ip("192.0.2.7");
  connection.set_destination_port(443);
  EXPECT_EQ(seen(connection, "a", kDay, Field::prevalence_destination), 1);
  EXPECT_EQ(seen(connection, "b", kDay, Field::prevalence_destination), 2);
  EXPECT_EQ(seen(connection, "b", kDay, Field::prevalence_executable), -1);
  connection.set_destination_port(80);
  EXPECT_EQ(seen(connection, "b", kDay, Field::prevalence_destination), 1);
  connection.set_network_direction("inbound");
  EXPECT_EQ(seen(connection, "b", kDay, Field::prevalence_destination), -1);
  v1::Event lookup;
  lookup.set_event_type(v1::EVENT_TYPE_DNS);
  lookup.set_event_action("query");
  lookup.set_event_sequence(1);
  lookup.set_event_time(1);
  lookup.set_dns_question_name("Example.com");
  EXPECT_EQ(seen(lookup, "a", kDay, Field::prevalence_destination), 1);
  lookup.set_dns_question_name("example.COM");
  EXPECT_EQ(seen(lookup, "b", kDay, Field::prevalence_destination), 2);
}

TEST_F(PrevalenceTest, says_how_large_the_fleet_is_and_how_long_it_has_counted) {
  open();
  const v1::Event event = process_event(1, 1, 0, "/bin/ls");
  EXPECT_EQ(seen(event, "a", kDay, Field::prevalence_fleet), 1);
  EXPECT_EQ(seen(event, "b", kDay, Field::prevalence_fleet), 2);
  EXPECT_EQ(seen(event, "b", kDay, Field::prevalence_days), 1);
  EXPECT_EQ(seen(event, "b", later(4), Field::prevalence_days), 5);
  EXPECT_EQ(seen(event, "b", later(29), Field::prevalence_fleet), 2);
  EXPECT_EQ(seen(event, "b", later(30), Field::prevalence_fleet), 1);
  EXPECT_EQ(seen(event, "b", later(100), Field::prevalence_days), kPrevalenceDays);
}

TEST_F(PrevalenceTest, forgets_after_thirty_days) {
  open();
  program("/bin/ls", "a");
  EXPECT_EQ(program("/bin/ls", "b", later(29)), 2);
  EXPECT_EQ(program("/bin/ls", "c", later(30)), 2);
  ASSERT_TRUE(book_->save(later(90)));
  open(later(90));
  EXPECT_EQ(metrics_.gauge("redoubt_prevalence_keys", "").value(), 0);
}

TEST_F(PrevalenceTest, knows_after_a_restart_what_it_knew) {
  open();
  program("/bin/ls", "a");
  program("/bin/ls", "b", later(1));
  ASSERT_TRUE(book_->save(later(1)));
  program("/bin/ls", "c", later(2));
  ASSERT_TRUE(book_->save(later(2)));
  open(later(3));
  EXPECT_EQ(program("/bin/ls", "a", later(3)), 3);
  EXPECT_EQ(program("/bin/ls", "d", later(3)), 4);
  EXPECT_EQ(seen(process_event(1, 1, 0, "/x"), "d", later(3), Field::prevalence_fleet), 4);
}

TEST_F(PrevalenceTest, a_flood_makes_nothing_new_look_known) {
  constexpr size_t kKeys = 100;
  open(kDay, kKeys);
  program("/bin/ls", "a");
  for (int i = 0; i < 5000; ++i) {
    ASSERT_EQ(program("/flood/" + std::to_string(i), "a"), 1);
    if (i % 20 == 0) program("/bin/ls", "a");
  }
  EXPECT_EQ(program("/bin/ls", "b"), 2);  // what is seen again and again stays
  ASSERT_TRUE(book_->save(kDay));
  open(kDay, kKeys);
  EXPECT_LE(metrics_.gauge("redoubt_prevalence_keys", "").value(), static_cast<int64_t>(kKeys * kPrevalenceKinds));
  EXPECT_EQ(program("/bin/ls", "c"), 3);
}

// Not a bench: that it is fit for a fleet at all.
TEST_F(PrevalenceTest, counts_fast_enough_for_a_fleet) {
  open();
  std::vector<v1::Event> events;
  for (uint64_t i = 1; i <= 1000; ++i) events.push_back(process_event(i, 1, 2, "/bin/p" + std::to_string(i % 50)));
  event::Batch batch = testing::batch_of(testing::frame_of(events, "a"));
  const auto begin = std::chrono::steady_clock::now();
  book_->note("a", batch, kDay);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(500));
}

}  // namespace
}  // namespace redoubt::central
