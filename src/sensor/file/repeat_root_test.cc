// What a process does to the same file again and again, done for real: told as counts, and none is missing.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "base/file.h"
#include "redoubt/event.pb.h"
#include "sensor/test_sensor.h"

namespace redoubt::sensor {
namespace {

constexpr int kTimes = 1000;

class RepeatTest : public SensorTest {
 protected:
  std::vector<v1::Event> told(pid_t pid, const std::string& action, const std::string& path) {
    return events_.all(
        [&](const v1::Event& event) { return event.process_pid() == pid && is_file(action, path)(event); });
  }
  static int64_t count_of(const std::vector<v1::Event>& events) {
    int64_t count = 0;
    for (const v1::Event& event : events) count += event.has_event_count() ? event.event_count() : 1;
    return count;
  }
  // Since the test began to watch.
  int64_t count_of_lost() {
    const auto lost = events_.all([](const v1::Event& event) {
      return event.event_type() == v1::EVENT_TYPE_LOSS && event.loss_cause().ends_with("_bulk");
    });
    int64_t count = 0;
    for (const v1::Event& event : lost) count += event.loss_count();
    return count;
  }

  base::TempDir directory_;
};

void open_again_and_again(const std::string& path, int flags) {
  for (int i = 0; i < kTimes; ++i) {
    const int fd = open(path.c_str(), flags, 0600);
    if (fd < 0) _exit(1);
    close(fd);
  }
}

TEST_F(RepeatTest, counts_opens_of_the_same_file_and_loses_none) {
  watch();
  const std::string path = directory_ / "log";
  close(open(path.c_str(), O_WRONLY | O_CREAT, 0600));
  const pid_t pid = in_child([&] { open_again_and_again(path, O_WRONLY | O_APPEND); });
  const pid_t other = in_child([&] { open_again_and_again(path, O_WRONLY | O_APPEND); });
  EXPECT_EQ(finish(pid), 0);
  EXPECT_EQ(finish(other), 0);
  settle();
  for (const pid_t each : {pid, other}) {
    const auto events = told(each, "write", path);
    EXPECT_EQ(count_of(events), kTimes);
    EXPECT_LT(events.size(), 20U);
    EXPECT_FALSE(events.front().has_event_count()) << "the first is told at once";
  }
  EXPECT_EQ(count_of_lost(), 0);
  expect_balance(&SensorAccount::bulk);
}

TEST_F(RepeatTest, tells_a_count_while_the_process_goes_on) {
  watch();
  const std::string path = directory_ / "log";
  const pid_t pid = in_child([&] {
    while (true) {
      const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
      if (write(fd, "x", 1) != 1) _exit(1);
      close(fd);
      usleep(1000);
    }
  });
  const auto counted = [&](const char* action) {
    return events_.wait_for([&](const v1::Event& event) {
      return event.process_pid() == pid && is_file(action, path)(event) && event.event_count() > 10;
    });
  };
  EXPECT_TRUE(counted("write"));
  const auto change = counted("change");
  kill(pid, SIGKILL);
  finish(pid);
  ASSERT_TRUE(change);
  EXPECT_GT(change->file_size(), 10);
  EXPECT_GT(change->event_time(), 0);
}

TEST_F(RepeatTest, tells_apart_what_differs) {
  watch();
  const std::string path = directory_ / "file";
  const std::string link = directory_ / "link";
  ASSERT_EQ(symlink("file", link.c_str()), 0);
  close(open(path.c_str(), O_WRONLY | O_CREAT, 0600));
  const pid_t pid = in_child([&] {
    for (const int flags : {O_WRONLY, O_RDWR, O_WRONLY | O_APPEND}) close(open(path.c_str(), flags));
    close(open(link.c_str(), O_WRONLY));
    chmod(path.c_str(), 0640);
    chmod(path.c_str(), 0600);
  });
  finish(pid);
  settle();
  const auto writes = told(pid, "write", path);
  ASSERT_EQ(writes.size(), 4U);
  EXPECT_EQ(writes[0].file_open_flags(), "O_WRONLY");
  EXPECT_EQ(writes[1].file_open_flags(), "O_RDWR");
  EXPECT_EQ(writes[2].file_open_flags(), "O_WRONLY|O_APPEND");
  EXPECT_EQ(writes[3].file_claimed_path(), link);
  EXPECT_EQ(told(pid, "permission", path).size(), 2U);
  for (const v1::Event& event : writes) EXPECT_FALSE(event.has_event_count());
}

TEST_F(RepeatTest, tells_each_where_there_is_no_room_for_counts) {
  watch();
  constexpr int kFiles = 6000;  // more than RD_REPEATS_MAX
  const auto path = [&](int number) { return directory_ / ("f" + std::to_string(number)); };
  for (int i = 0; i < kFiles; ++i) close(open(path(i).c_str(), O_WRONLY | O_CREAT, 0600));
  const pid_t pid = in_child([&] {
    for (int round = 0; round < 3; ++round) {
      for (int i = 0; i < kFiles; ++i) close(open(path(i).c_str(), O_WRONLY));
    }
  });
  EXPECT_EQ(finish(pid), 0);
  stop();  // no later test meets the full table
  const auto events = events_.all(
      [&](const v1::Event& event) { return event.process_pid() == pid && event.event_action() == "write"; });
  expect_balance(&SensorAccount::bulk);
  EXPECT_GE(count_of(events) + count_of_lost(), 3 * kFiles);
  EXPECT_GT(events.size(), 6000U);
}

}  // namespace
}  // namespace redoubt::sensor
