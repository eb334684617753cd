#include "link/agent/spool.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/file.h"
#include "redoubt/event.pb.h"

namespace redoubt::link {
namespace {

event::Frame frame_of(uint64_t first, uint64_t last, const std::string& boot = "boot") {
  v1::Event common;
  common.set_host_id("host");
  event::FrameBuilder builder(common);
  for (uint64_t sequence = first; sequence <= last; ++sequence) {
    v1::Event event;
    event.set_event_type(v1::EVENT_TYPE_PROCESS);
    event.set_event_sequence(static_cast<int64_t>(sequence));
    builder.add(event);
  }
  return builder.finish(boot);
}

std::unique_ptr<Spool> open_spool(SpoolOptions options) {
  auto spool = Spool::open(std::move(options));
  EXPECT_TRUE(spool) << spool.error().message;
  return *std::move(spool);
}

// First numbers of all frames from the released position on.
std::vector<uint64_t> firsts(Spool& spool) {
  std::vector<uint64_t> found;
  SpoolPosition position = spool.released();
  while (true) {
    const auto frame = spool.read(position);
    if (!frame) break;
    found.push_back(frame->first_sequence);
  }
  return found;
}

size_t files_in(const std::string& directory) {
  size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) count += entry.is_regular_file() ? 1 : 0;
  return count;
}

std::string only_file_in(const std::string& directory) {
  return std::filesystem::directory_iterator(directory)->path().string();
}

TEST(Spool, gives_back_frames_in_order_also_after_reopening) {
  const base::TempDir dir;
  {
    const auto spool = open_spool({.directory = dir / "spool"});
    EXPECT_TRUE(spool->empty());
    for (uint64_t first = 1; first <= 30; first += 10) ASSERT_TRUE(spool->append(frame_of(first, first + 9)));
    ASSERT_TRUE(spool->sync());
    EXPECT_EQ(firsts(*spool), (std::vector<uint64_t>{1, 11, 21}));
  }
  const auto spool = open_spool({.directory = dir / "spool"});
  ASSERT_TRUE(spool->append(frame_of(31, 40)));
  EXPECT_EQ(firsts(*spool), (std::vector<uint64_t>{1, 11, 21, 31}));
  EXPECT_EQ(spool->last_sequence("boot"), 40U);
  EXPECT_EQ(spool->last_sequence("another"), 0U);
}

TEST(Spool, cuts_a_torn_tail) {
  const base::TempDir dir;
  {
    ASSERT_TRUE(open_spool({.directory = dir / "spool"})->append(frame_of(1, 5)));
  }
  const std::string file = only_file_in(dir / "spool");
  const std::string torn = event::encode_record(frame_of(6, 10));
  for (const size_t kept : {size_t{1}, size_t{15}, size_t{16}, torn.size() - 1}) {
    std::ofstream(file, std::ios::app | std::ios::binary).write(torn.data(), static_cast<std::streamsize>(kept));
    const auto spool = open_spool({.directory = dir / "spool"});
    EXPECT_EQ(firsts(*spool), (std::vector<uint64_t>{1}));
    EXPECT_EQ(spool->last_sequence("boot"), 5U);
  }
}

TEST(Spool, deletes_segments_once_all_of_them_is_released) {
  const base::TempDir dir;
  const auto spool = open_spool({.directory = dir / "spool", .segment_bytes = 1});
  for (uint64_t first = 1; first <= 5; ++first) ASSERT_TRUE(spool->append(frame_of(first, first)));
  EXPECT_EQ(files_in(dir / "spool"), 5U);
  SpoolPosition position = spool->released();
  ASSERT_TRUE(spool->read(position));
  ASSERT_TRUE(spool->read(position));
  spool->release(position);
  EXPECT_EQ(files_in(dir / "spool"), 3U);
  EXPECT_EQ(firsts(*spool), (std::vector<uint64_t>{3, 4, 5}));
}

TEST(Spool, goes_on_behind_what_was_acknowledged_before) {
  const base::TempDir dir;
  {
    const auto spool = open_spool({.directory = dir / "spool"});
    for (uint64_t first = 1; first <= 40; first += 10) ASSERT_TRUE(spool->append(frame_of(first, first + 9)));
  }
  const auto spool = open_spool({.directory = dir / "spool", .released_boot_id = "boot", .released_sequence = 20});
  EXPECT_EQ(firsts(*spool), (std::vector<uint64_t>{21, 31}));
  const auto done = open_spool({.directory = dir / "spool", .released_boot_id = "boot", .released_sequence = 40});
  EXPECT_TRUE(done->empty());
  EXPECT_EQ(files_in(dir / "spool"), 0U);
}

TEST(Spool, gives_up_the_oldest_past_its_size) {
  const base::TempDir dir;
  const auto spool = open_spool({.directory = dir / "spool", .size_bytes_max = 500, .segment_bytes = 200});
  for (uint64_t first = 1; first <= 10; ++first) {
    ASSERT_TRUE(spool->append(frame_of(first, first)));
    if (spool->past_limits()) break;
  }
  const auto gap = spool->past_limits();
  ASSERT_TRUE(gap);
  EXPECT_EQ(gap->first_sequence, 1U);
  EXPECT_EQ(gap->events, gap->last_sequence);
  spool->drop(gap->segment);
  EXPECT_FALSE(spool->past_limits());
  EXPECT_EQ(firsts(*spool).front(), gap->last_sequence + 1);
}

TEST(Spool, gives_up_what_is_too_old) {
  const base::TempDir dir;
  const auto spool = open_spool({.directory = dir / "spool", .age_us_max = -1});
  ASSERT_TRUE(spool->append(frame_of(1, 3)));
  const auto gap = spool->past_limits();
  ASSERT_TRUE(gap);
  EXPECT_EQ(gap->events, 3U);
  spool->drop(gap->segment);
  EXPECT_TRUE(spool->empty());
  ASSERT_TRUE(spool->append(frame_of(4, 4)));
  EXPECT_EQ(firsts(*spool), (std::vector<uint64_t>{4}));
}

TEST(Spool, passes_over_a_damaged_segment_and_says_what_was_in_it) {
  const base::TempDir dir;
  const auto spool = open_spool({.directory = dir / "spool", .segment_bytes = 300});
  for (uint64_t first = 1; first <= 6; ++first) ASSERT_TRUE(spool->append(frame_of(first, first)));
  ASSERT_GT(files_in(dir / "spool"), 1U);
  SpoolPosition position = spool->released();
  ASSERT_TRUE(spool->read(position));
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(dir / "spool")) files.push_back(entry.path().string());
  const std::string oldest = *std::min_element(files.begin(), files.end());
  std::fstream file(oldest, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(position.offset) + 20);
  file.write("damage", 6);
  file.close();
  EXPECT_EQ(spool->read(position).error().code, Errc::corrupt);
  const auto gap = spool->skip_damaged(position, 1);
  ASSERT_TRUE(gap);
  EXPECT_EQ(gap->first_sequence, 2U);
  EXPECT_EQ(spool->read(position)->first_sequence, gap->last_sequence + 1);
}

TEST(Spool, reader_wakes_for_a_new_frame) {
  const base::TempDir dir;
  const auto spool = open_spool({.directory = dir / "spool"});
  const SpoolPosition position = spool->released();
  EXPECT_FALSE(spool->wait_for_more(position, std::chrono::milliseconds(1)));
  std::thread writer([&] { ASSERT_TRUE(spool->append(frame_of(1, 1))); });
  EXPECT_TRUE(spool->wait_for_more(position, std::chrono::seconds(10)));
  writer.join();
}

}  // namespace
}  // namespace redoubt::link
