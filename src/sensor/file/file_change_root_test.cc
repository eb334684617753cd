// Files that are written and closed, done for real, and the events compared.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "base/file.h"
#include "redoubt/event.pb.h"
#include "sensor/test_sensor.h"

namespace redoubt::sensor {
namespace {

constexpr useconds_t kTickUs = 100'000;  // longer than the times of files stand still

void put(int descriptor, std::string_view text) {
  if (write(descriptor, text.data(), text.size()) != static_cast<ssize_t>(text.size())) _exit(1);
}

class FileChangeTest : public SensorTest {
 protected:
  void SetUp() override {
    SensorTest::SetUp();
    if (IsSkipped()) return;
    for (const char* name : {"a", "b", "c"}) {
      const int fd = open(path(name).c_str(), O_WRONLY | O_CREAT, 0600);
      put(fd, "12345");
      close(fd);
    }
    usleep(kTickUs);
  }

  std::string path(const std::string& name) const { return directory_ / name; }

  std::vector<v1::Event> changes(pid_t pid) {
    return events_.all(
        [&](const v1::Event& event) { return event.process_pid() == pid && event.event_action() == "change"; });
  }
  v1::Event change(const std::string& name, pid_t pid) {
    const auto found = events_.wait_for(
        [&](const v1::Event& event) { return event.process_pid() == pid && is_file("change", path(name))(event); });
    EXPECT_TRUE(found) << name;
    return found.value_or(v1::Event());
  }
  // All that the child changed, once what it wrote into last is told.
  std::set<std::string> changed_by(const std::function<void()>& act) {
    const pid_t pid = in_child([&] {
      act();
      const int last = open(path("last").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
      put(last, "x");
    });
    EXPECT_EQ(finish(pid), 0);
    change("last", pid);
    std::set<std::string> names;
    for (const v1::Event& event : changes(pid)) {
      if (event.file_name() != "last") names.insert(event.file_name());
    }
    return names;
  }

  using Names = std::set<std::string>;
  base::TempDir directory_;
};

// The file is told some time after it was closed, by which time its writer may run another program.
TEST_F(FileChangeTest, leaves_the_process_the_name_that_it_has_now) {
  watch();
  const pid_t pid = in_child([&] {
    put(open(path("before").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600), "x");
    execl("/bin/sh", "sh", "-c", "/bin/sleep 0.5; /bin/true; :", nullptr);
  });
  finish(pid);
  change("before", pid);
  const auto started = events_.wait_for([&](const v1::Event& event) {
    return event.event_type() == v1::EVENT_TYPE_PROCESS && event.process_command_line() == "/bin/true";
  });
  ASSERT_TRUE(started);
  EXPECT_EQ(started->process_parent_comm(), "sh");
}

TEST_F(FileChangeTest, tells_a_file_that_was_written_and_closed_and_what_it_has_become) {
  watch();
  const pid_t pid = in_child([&] {
    const int made = open(path("made").c_str(), O_WRONLY | O_CREAT, 0640);
    put(made, "abc");
    close(made);
  });
  EXPECT_EQ(finish(pid), 0);
  const v1::Event event = change("made", pid);
  struct stat made{};
  ASSERT_EQ(stat(path("made").c_str(), &made), 0);
  EXPECT_EQ(event.event_type(), v1::EVENT_TYPE_FILECHANGE);
  EXPECT_EQ(event.file_size(), 3);
  EXPECT_EQ(event.file_inode(), static_cast<int64_t>(made.st_ino));
  EXPECT_EQ(event.file_type(), "file");
  EXPECT_EQ(event.process_executable(), own_executable());
  EXPECT_EQ(changes(pid).size(), 1U);
  EXPECT_EQ(events_.all(is_file("create", path("made"))).size(), 1U) << "the open is told as before";
}

TEST_F(FileChangeTest, tells_nothing_of_what_was_opened_and_not_written) {
  watch();
  EXPECT_EQ(changed_by([&] {
              close(open(path("a").c_str(), O_WRONLY));
              close(open(path("b").c_str(), O_RDWR));
              close(open(path("empty").c_str(), O_WRONLY | O_CREAT, 0600));
              const int read_only = open(path("c").c_str(), O_RDONLY);
              char byte = 0;
              if (read(read_only, &byte, 1) != 1) _exit(1);
              close(read_only);
              const int moded = open(path("c").c_str(), O_RDWR);
              fchmod(moded, 0640);
              close(moded);
            }),
            Names());
}

TEST_F(FileChangeTest, sees_that_a_file_of_the_same_size_was_written) {
  watch();
  EXPECT_EQ(changed_by([&] {
              const int a = open(path("a").c_str(), O_RDWR);
              if (pwrite(a, "54321", 5, 0) != 5) _exit(1);
              close(a);
              // Its time is set back.
              struct stat before{};
              stat(path("b").c_str(), &before);
              const int b = open(path("b").c_str(), O_RDWR);
              if (pwrite(b, "54321", 5, 0) != 5) _exit(1);
              const timespec times[2] = {before.st_atim, before.st_mtim};
              futimens(b, times);
              close(b);
            }),
            (Names{"a", "b"}));
}

TEST_F(FileChangeTest, tells_a_file_once_at_the_last_close_of_its_descriptors) {
  watch();
  int release[2];
  ASSERT_EQ(pipe(release), 0);
  const pid_t pid = in_child([&] {
    close(release[1]);
    const int first = open(path("a").c_str(), O_WRONLY | O_APPEND);
    const int second = dup(first);
    put(first, "6");
    close(first);
    const int other = open(path("b").c_str(), O_WRONLY | O_APPEND);
    put(other, "6");
    close(other);
    char wait = 0;
    if (read(release[0], &wait, 1) != 1) _exit(1);
    put(second, "7");
    // The end of the process closes it.
  });
  change("b", pid);
  usleep(3 * kTickUs);
  EXPECT_TRUE(events_.all(is_file("change", path("a"))).empty()) << "it is still open";
  EXPECT_EQ(write(release[1], "x", 1), 1);
  EXPECT_EQ(finish(pid), 0);
  EXPECT_EQ(change("a", pid).file_size(), 7);
  EXPECT_EQ(changes(pid).size(), 2U);
}

// As shells redirect: what is written into is a copy of the descriptor, and another file takes its place.
void write_through_copy(const std::string& path, const std::function<int(int)>& copy) {
  const int fd = open(path.c_str(), O_WRONLY | O_APPEND);
  const int copied = copy(fd);
  if (copied < 0 || close(fd) != 0) _exit(1);
  put(copied, "6");
  if (dup2(0, copied) < 0 || unlink(path.c_str()) != 0) _exit(2);
}

TEST_F(FileChangeTest, tells_a_file_that_is_deleted_right_after_another_took_the_place_of_its_last_descriptor) {
  watch();
  constexpr int kPlace = 100;
  const pid_t pid = in_child([&] {
    write_through_copy(path("a"), [](int fd) { return dup2(fd, kPlace); });
    write_through_copy(path("b"), [](int fd) { return fcntl(fd, F_DUPFD, kPlace); });
    write_through_copy(path("c"), [](int fd) {
      const int between = dup(fd);
      const int last = dup3(between, kPlace, O_CLOEXEC);
      close(between);
      return last;
    });
  });
  EXPECT_EQ(finish(pid), 0);
  for (const char* name : {"a", "b", "c"}) EXPECT_EQ(change(name, pid).file_size(), 6) << name;
  EXPECT_EQ(changes(pid).size(), 3U);
}

TEST_F(FileChangeTest, tells_a_file_that_a_child_of_the_process_closes_last) {
  watch();
  const pid_t pid = in_child([&] {
    const int fd = open(path("a").c_str(), O_WRONLY | O_APPEND);
    if (fork() == 0) {
      put(fd, "from the child");
      _exit(0);
    }
    wait(nullptr);
    if (dup2(open("/dev/null", O_WRONLY), fd) < 0) _exit(1);
    usleep(kTickUs);
  });
  EXPECT_EQ(finish(pid), 0);
  EXPECT_EQ(change("a", pid).file_size(), 19);
}

TEST_F(FileChangeTest, tells_what_was_written_through_a_mapping) {
  watch();
  EXPECT_EQ(changed_by([&] {
              for (const char* name : {"a", "b"}) {
                const int fd = open(path(name).c_str(), O_RDWR);
                char* bytes = static_cast<char*>(mmap(nullptr, 5, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
                if (bytes == MAP_FAILED) _exit(1);
                close(fd);
                // The first is read before it is written: some file systems set no time then.
                if (*name == 'a' && bytes[1] != '2') _exit(2);
                bytes[0] = 'X';
                munmap(bytes, 5);
              }
              const int fd = open(path("c").c_str(), O_RDWR);
              if (mmap(nullptr, 5, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0) == MAP_FAILED) _exit(3);
              close(fd);
            }),
            (Names{"a", "b"}));
}

TEST_F(FileChangeTest, tells_files_that_were_cut_or_emptied) {
  watch();
  const pid_t pid = in_child([&] {
    close(open(path("a").c_str(), O_WRONLY | O_TRUNC));
    const int b = open(path("b").c_str(), O_WRONLY);
    if (ftruncate(b, 2) != 0) _exit(1);
    close(b);
  });
  EXPECT_EQ(finish(pid), 0);
  EXPECT_EQ(change("a", pid).file_size(), 0);
  EXPECT_EQ(change("b", pid).file_size(), 2);
  EXPECT_EQ(changes(pid).size(), 2U);
}

TEST_F(FileChangeTest, sees_the_32_bit_calls) {
  watch();
  char* low =
      static_cast<char*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0));
  const auto call = [](long number, long first, long second, long third) {
    long result = number;
    asm volatile("int $0x80"
                 : "+a"(result)
                 : "b"(first), "c"(second), "d"(third), "S"(0L), "D"(0L)
                 : "memory", "r8", "r9", "r10", "r11");
    return result;
  };
  const pid_t pid = in_child([&] {
    strcpy(low, path("a").c_str());
    const long fd = call(5, reinterpret_cast<long>(low), O_WRONLY | O_APPEND, 0);
    if (fd < 0) _exit(9);
    strcpy(low, "32 bits");
    if (call(4, fd, reinterpret_cast<long>(low), 7) != 7) _exit(1);
    call(6, fd, 0, 0);
    pause();
  });
  int status = 0;
  usleep(kTickUs);
  if (waitpid(pid, &status, WNOHANG) == pid) GTEST_SKIP() << "skipped: this kernel has no i386 entry";
  EXPECT_EQ(change("a", pid).file_size(), 12);
  kill(pid, SIGKILL);
  finish(pid);
}

// In between, another file takes the name that it was opened by.
TEST_F(FileChangeTest, tells_the_real_file_where_its_name_is_given_to_another) {
  watch();
  struct stat opened{};
  ASSERT_EQ(stat(path("a").c_str(), &opened), 0);
  const pid_t pid = in_child([&] {
    const int fd = open(path("a").c_str(), O_WRONLY | O_APPEND);
    if (rename(path("a").c_str(), path("moved").c_str()) != 0) _exit(1);
    if (symlink("/etc/hostname", path("a").c_str()) != 0) _exit(2);
    put(fd, "6");
    close(fd);
  });
  EXPECT_EQ(finish(pid), 0);
  const v1::Event event = change("moved", pid);
  EXPECT_EQ(event.file_inode(), static_cast<int64_t>(opened.st_ino));
  EXPECT_EQ(event.file_size(), 6);
  EXPECT_EQ(changes(pid).size(), 1U);
}

TEST_F(FileChangeTest, tells_each_change_of_a_file_that_is_opened_again_and_again) {
  watch();
  constexpr size_t kTimes = 50;
  const pid_t pid = in_child([&] {
    for (size_t i = 0; i < kTimes; ++i) {
      // As a shell does it: the last descriptor is not closed, another is put in its place.
      const int fd = open(path("again").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
      const int copy = fcntl(fd, F_DUPFD, 100);
      close(fd);
      put(copy, "x");
      if (i % 2 == 0) close(copy);
      if (i % 2 == 1 && dup2(0, copy) < 0) _exit(1);
    }
  });
  EXPECT_EQ(finish(pid), 0);
  settle();
  int64_t count = 0;
  for (const v1::Event& event : changes(pid)) count += event.has_event_count() ? event.event_count() : 1;
  EXPECT_EQ(count, static_cast<int64_t>(kTimes));
}

TEST_F(FileChangeTest, leaves_out_what_the_policy_leaves_out) {
  SensorOptions options;
  options.policy.unwanted = {"filechange.create", "filechange.write"};
  options.policy.excluded_paths = {path("a")};
  watch(options);
  EXPECT_EQ(changed_by([&] {
              for (const char* name : {"a", "b"}) {
                const int fd = open(path(name).c_str(), O_WRONLY | O_APPEND);
                put(fd, "6");
                close(fd);
              }
            }),
            Names{"b"});
  EXPECT_TRUE(events_.all(is_file("write", path("b"))).empty());
  const SensorPolicy silent{.unwanted = {"filechange.change"}};
  ASSERT_TRUE(apply(silent).has_value());
  const pid_t pid = in_child([&] {
    const int fd = open(path("c").c_str(), O_WRONLY | O_APPEND);
    put(fd, "6");
    close(fd);
  });
  EXPECT_EQ(finish(pid), 0);
  ASSERT_TRUE(events_.wait_for(is_file("write", path("c"))));
  usleep(3 * kTickUs);
  EXPECT_TRUE(changes(pid).empty());
}

}  // namespace
}  // namespace redoubt::sensor
