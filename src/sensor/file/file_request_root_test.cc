// What is done to files through io_uring, by the caller's thread or by a worker of the kernel's.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "base/file.h"
#include "sensor/test_io_uring.h"
#include "sensor/test_sensor.h"

namespace redoubt::sensor {
namespace {

class FileRequestTest : public SensorTest, public testing::WithParamInterface<uint8_t> {
 protected:
  void SetUp() override {
    SensorTest::SetUp();
    if (!IsSkipped() && !IoUring().works()) GTEST_SKIP() << "skipped: no io_uring here";
  }
  io_uring_sqe request(uint8_t operation, const std::string& path) const {
    return {.opcode = operation, .flags = GetParam(), .fd = AT_FDCWD, .addr = pointer_to(path)};
  }
  io_uring_sqe request(uint8_t operation, const std::string& from, const std::string& to) const {
    return {.opcode = operation,
            .flags = GetParam(),
            .fd = AT_FDCWD,
            .off = pointer_to(to),
            .addr = pointer_to(from),
            .len = static_cast<uint32_t>(AT_FDCWD)};
  }
  // The file events of a child in which all of the requests end as they should, in the order in which they came.
  std::vector<v1::Event> events_of(const std::vector<std::pair<io_uring_sqe, int>>& requests) {
    const pid_t pid = in_child([&] {
      IoUring ring;
      for (const auto& [request, result] : requests) {
        const int got = ring.run(request);
        if (request.opcode == IORING_OP_OPENAT ? got < 0 : got != result) _exit(1);
      }
    });
    EXPECT_EQ(finish(pid), 0);
    EXPECT_TRUE(events_.wait_for(is_end_of(pid)));
    return events_.all([pid](const v1::Event& event) {
      return event.event_type() == v1::EVENT_TYPE_FILECHANGE && event.process_pid() == pid;
    });
  }

  base::TempDir directory_;
};

TEST_P(FileRequestTest, tells_opens_renames_and_deletions) {
  watch();
  const std::string first = directory_ / "first";
  const std::string second = directory_ / "second";
  io_uring_sqe creation = request(IORING_OP_OPENAT, first);
  creation.len = 0600;
  creation.open_flags = O_WRONLY | O_CREAT;
  const io_uring_sqe removal = request(IORING_OP_UNLINKAT, second);
  const auto events =
      events_of({{creation, 0}, {request(IORING_OP_RENAMEAT, first, second), 0}, {removal, 0}, {removal, -ENOENT}});
  if (!is_lsm()) {
    EXPECT_TRUE(events.empty()) << "as the probe says";
    return;
  }
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0].event_action(), "create");
  EXPECT_EQ(events[0].file_path(), first);
  EXPECT_EQ(events[0].file_open_flags(), "O_WRONLY|O_CREAT");
  EXPECT_EQ(events[1].event_action(), "rename");
  EXPECT_EQ(events[1].file_previous_path(), first);
  EXPECT_EQ(events[1].file_path(), second);
  EXPECT_EQ(events[2].event_action(), "delete");
  EXPECT_EQ(events[2].file_path(), second);
  EXPECT_EQ(events[2].file_mode(), "0600");
}

TEST_P(FileRequestTest, tells_directories_and_links) {
  watch();
  const std::string made = directory_ / "made";
  const std::string hard = directory_ / "hard";
  const std::string soft = directory_ / "soft";
  const std::string file = directory_ / "file";
  const std::string text = "../text";
  close(open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  io_uring_sqe making = request(IORING_OP_MKDIRAT, made);
  making.len = 0777;
  io_uring_sqe removal = request(IORING_OP_UNLINKAT, made);
  removal.unlink_flags = AT_REMOVEDIR;
  io_uring_sqe softening = request(IORING_OP_SYMLINKAT, text);
  softening.addr2 = pointer_to(soft);
  const auto events = events_of(
      {{making, 0}, {making, -EEXIST}, {removal, 0}, {request(IORING_OP_LINKAT, file, hard), 0}, {softening, 0}});
  if (!is_lsm()) {
    EXPECT_TRUE(events.empty()) << "as the probe says";
    return;
  }
  ASSERT_EQ(events.size(), 4U);
  EXPECT_EQ(events[0].event_action(), "mkdir");
  EXPECT_EQ(events[0].file_path(), made);
  EXPECT_EQ(events[0].file_mode(), "0755");
  EXPECT_EQ(events[1].event_action(), "rmdir");
  EXPECT_EQ(events[1].file_path(), made);
  EXPECT_EQ(events[2].event_action(), "link");
  EXPECT_EQ(events[2].file_path(), hard);
  EXPECT_EQ(events[2].file_target_path(), file);
  EXPECT_EQ(events[3].event_action(), "symlink");
  EXPECT_EQ(events[3].file_path(), soft);
  EXPECT_EQ(events[3].file_target_path(), text);
}

// Since Linux 6.9; younger than the headers of older systems.
constexpr uint8_t kTruncateOperation = 55;

TEST_P(FileRequestTest, tells_lengths_that_are_set) {
  watch();
  const std::string path = directory_ / "file";
  close(open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  const pid_t pid = in_child([&] {
    const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
    IoUring ring;
    const io_uring_sqe request{.opcode = kTruncateOperation, .flags = GetParam(), .fd = fd, .off = 4096};
    const int result = ring.run(request);
    if (result != 0) _exit(result == -EINVAL ? 1 : 2);
  });
  const int status = finish(pid);
  EXPECT_TRUE(events_.wait_for(is_end_of(pid)));
  ASSERT_TRUE(WIFEXITED(status));
  const auto told = events_.all([&](const v1::Event& event) {
    return event.process_pid() == pid && event.event_type() == v1::EVENT_TYPE_FILECHANGE &&
           event.event_action() == "truncate";
  });
  constexpr int kNoSuchRequest = 1;
  const bool is_told = is_lsm() && WEXITSTATUS(status) != kNoSuchRequest;
  ASSERT_EQ(told.size(), is_told ? 1U : 0U) << "as the probe says";
  if (!is_told) return;
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(told[0].file_path(), path);
  EXPECT_EQ(told[0].file_size(), 4096);
}

INSTANTIATE_TEST_SUITE_P(Contexts, FileRequestTest, testing::Values(uint8_t{0}, uint8_t{IOSQE_ASYNC}));

}  // namespace
}  // namespace redoubt::sensor
