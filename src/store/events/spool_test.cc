#include "store/events/spool.h"

#include <gtest/gtest.h>
#include <thread>

#include "store/events/embedded/test_events.h"
#include "store/events/intake.h"

namespace redoubt::store {
namespace {

std::string frame_record(uint64_t first, uint64_t last) {
  const auto made = test_events::make_frame("host", first, last);
  return encode_spooled(made.host_id, made.frame);
}

// "1-3" for frames, "=3" for marks.
std::string contents(std::string_view bytes, SpoolScan& scan) {
  std::string text;
  const auto result = scan_spool(bytes, [&](SpoolRecord record) -> Status {
    if (const auto* frame = std::get_if<SpooledFrame>(&record)) {
      text += std::to_string(frame->frame.first_sequence) + "-" + std::to_string(frame->frame.last_sequence) + " ";
    } else {
      text += "=" + std::to_string(std::get<SpooledMark>(record).sequence) + " ";
    }
    return {};
  });
  EXPECT_TRUE(result);
  scan = *result;
  return text;
}

TEST(SpoolScan, reads_frames_and_marks_in_order) {
  SpoolScan scan;
  const std::string bytes =
      frame_record(1, 3) + encode_spooled({.host_id = "h", .boot_id = "b", .sequence = 3}) + frame_record(4, 4);
  EXPECT_EQ(contents(bytes, scan), "1-3 =3 4-4 ");
  EXPECT_EQ(scan.valid_end, bytes.size());
  EXPECT_EQ(scan.bytes_damaged, 0U);
}

TEST(SpoolScan, keeps_what_the_node_adds_to_events) {
  const auto made = test_events::make_frame("host", 1, 3);
  const std::vector<event::Note> notes = {{0, event::Field::prevalence_executable, 2},
                                          {2, event::Field::prevalence_fleet, -7}};
  std::vector<event::Note> read;
  const auto scanned = scan_spool(encode_spooled(made.host_id, made.frame, notes), [&](SpoolRecord record) -> Status {
    const auto& frame = std::get<SpooledFrame>(record);
    read = frame.notes;
    const auto batch = decode_spooled(frame);
    EXPECT_EQ(batch->row(0).integer(event::Field::prevalence_executable), 2);
    EXPECT_EQ(batch->row(0).integer(event::Field::event_sequence), 1);
    EXPECT_FALSE(batch->row(1).get(event::Field::prevalence_executable).present());
    EXPECT_EQ(batch->row(2).integer(event::Field::prevalence_fleet), -7);
    return {};
  });
  ASSERT_TRUE(scanned);
  EXPECT_EQ(scanned->bytes_damaged, 0U);
  EXPECT_EQ(read, notes);
}

TEST(SpoolScan, survives_a_cut_at_every_byte) {
  const std::string first = frame_record(1, 3);
  const std::string both = first + frame_record(4, 6);
  for (size_t size = 0; size < both.size(); ++size) {
    SpoolScan scan;
    EXPECT_EQ(contents(both.substr(0, size), scan), size >= first.size() ? "1-3 " : "");
    EXPECT_EQ(scan.valid_end, size >= first.size() ? first.size() : 0);
  }
}

TEST(SpoolScan, survives_damage_of_every_byte) {
  const std::string first = frame_record(1, 3);
  const std::string all = first + frame_record(4, 6);
  for (size_t at = 0; at < first.size(); ++at) {
    std::string damaged = all;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x41);
    SpoolScan scan;
    EXPECT_EQ(contents(damaged, scan), "4-6 ") << at;
    EXPECT_EQ(scan.bytes_damaged, first.size());
    EXPECT_EQ(scan.valid_end, all.size());
  }
}

TEST(Spool, makes_waiting_threads_durable_together) {
  const base::TempDir dir;
  Spool spool(dir.path());
  ASSERT_TRUE(spool.roll(1));
  std::mutex mutex;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (uint64_t number = 1; number <= 20; ++number) {
        std::unique_lock lock(mutex);
        const auto position = spool.append(frame_record(number, number));
        lock.unlock();
        ASSERT_TRUE(position);
        ASSERT_TRUE(spool.wait_durable(*position));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  ASSERT_TRUE(spool.roll(2));
  EXPECT_EQ(spool.files().value(), (std::vector<uint64_t>{1, 2}));
  size_t records = 0;
  ASSERT_TRUE(spool.read(1, Spool::Torn::keep, [&](SpoolRecord) -> Status {
    ++records;
    return {};
  }));
  EXPECT_EQ(records, 160U);
}

// Who comes late, or never, delays the others by a moment.
TEST(Spool, waits_only_so_long_for_who_is_coming) {
  const base::TempDir dir;
  Spool spool(dir.path());
  ASSERT_TRUE(spool.roll(1));
  const Coming never(spool.arrivals());
  for (int i = 0; i < 10; ++i) {
    Coming own(spool.arrivals());
    const auto position = spool.append(frame_record(1, 3));
    ASSERT_TRUE(position);
    ASSERT_TRUE(spool.wait_durable(*position, own));
  }
}

}  // namespace
}  // namespace redoubt::store
