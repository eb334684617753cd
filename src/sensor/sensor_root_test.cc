// The real sensor on the real kernel: programs are run, files made, sockets opened, and the events compared.
#include "sensor/sensor.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <initializer_list>
#include <thread>
#include <vector>

#include "base/file.h"
#include "base/hash.h"
#include "base/time.h"
#include "redoubt/event.pb.h"
#include "sensor/probe.h"
#include "sensor/test_sensor.h"

namespace redoubt::sensor {
namespace {

// One that can be brought to lose records.
class SensorLossTest : public SensorTest {
 protected:
  // Does it again until the sensor, which is held up, stands still, and then until the rings have no room: what comes
  // after that is lost.
  void overflow(const std::function<void()>& act, std::initializer_list<LaneAccount SensorAccount::*> lanes) {
    const auto deadline = std::chrono::steady_clock::now() + kWait;
    while (!events_.stands_still() && std::chrono::steady_clock::now() < deadline) act();
    const SensorAccount before = sensor().account();
    const auto lost_more = [&] {
      const SensorAccount now = sensor().account();
      return std::all_of(lanes.begin(), lanes.end(), [&](auto lane) { return (now.*lane).lost > (before.*lane).lost; });
    };
    while (!lost_more() && std::chrono::steady_clock::now() < deadline) act();
    ASSERT_TRUE(lost_more());
  }
};

TEST_F(SensorTest, tells_a_program_from_start_to_end) {
  watch();
  base::TempDir directory;
  const std::string shell = real_path("/bin/sh");
  const pid_t pid = launch({"/bin/sh", "-c", "exit 7", "two words", "bad\xff"}, directory.path());
  finish(pid);
  const auto started = events_.wait_for(is_exec_of(pid));
  ASSERT_TRUE(started);
  EXPECT_EQ(started->event_action(), "exec");
  EXPECT_EQ(started->process_executable(), shell);
  EXPECT_EQ(started->process_name(), shell.substr(shell.rfind('/') + 1));
  EXPECT_EQ(started->process_command_line(), "/bin/sh -c exit 7 two words bad\\xff");
  EXPECT_EQ(started->process_working_directory(), directory.path());
  EXPECT_EQ(started->process_hash_sha256(), *base::sha256_file_hex(shell, size_t{64} << 20));
  EXPECT_EQ(started->user_name(), "root");
  EXPECT_EQ(started->user_id(), 0);
  EXPECT_EQ(started->user_effective_id(), 0);
  EXPECT_EQ(started->group_id(), 0);
  EXPECT_EQ(started->process_parent_pid(), getpid());
  EXPECT_EQ(started->process_parent_executable(), own_executable());
  EXPECT_NE(started->process_parent_command_line().find("test_sensor_root"), std::string::npos);
  EXPECT_TRUE(started->process_ancestors().starts_with(own_executable() + "\n")) << started->process_ancestors();
  EXPECT_NEAR(static_cast<double>(started->event_time()), static_cast<double>(base::Time::now().us), 30e6);
  EXPECT_LE(started->process_start(), started->event_time());

  const auto ended = events_.wait_for(is_end_of(pid));
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->event_action(), "exit");
  EXPECT_EQ(ended->process_exit_code(), 7);
  EXPECT_EQ(ended->process_entity_id(), started->process_entity_id());
  EXPECT_EQ(ended->process_entity_id().size(), 32U);
  EXPECT_EQ(ended->process_hash_sha256(), started->process_hash_sha256());
  EXPECT_EQ(ended->process_end(), ended->event_time());
  EXPECT_GE(ended->process_end(), ended->process_start());
}

TEST_F(SensorTest, tells_the_signal_that_ended_a_program) {
  watch();
  const pid_t pid = launch({"/bin/sh", "-c", "kill -KILL $$"});
  finish(pid);
  const auto ended = events_.wait_for(is_end_of(pid));
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->process_exit_code(), 128 + SIGKILL);
}

TEST_F(SensorTest, tells_other_users) {
  watch();
  const pid_t pid = in_child([] {
    if (setgid(65534) == 0 && setuid(65534) == 0) execl("/bin/true", "true", nullptr);
  });
  finish(pid);
  const auto started = events_.wait_for(is_exec_of(pid));
  ASSERT_TRUE(started);
  EXPECT_EQ(started->user_id(), 65534);
  EXPECT_EQ(started->user_name(), "nobody");
  EXPECT_EQ(started->group_id(), 65534);
}

TEST_F(SensorTest, cuts_long_arguments_and_says_so) {
  watch();
  const std::string longest(10000, 'x');
  const pid_t pid = launch({"/bin/true", longest});
  finish(pid);
  const auto started = events_.wait_for(is_exec_of(pid));
  ASSERT_TRUE(started);
  const std::string& line = started->process_command_line();
  EXPECT_TRUE(line.starts_with("/bin/true xxxx"));
  EXPECT_TRUE(line.ends_with("…[+5915 bytes]")) << line.substr(line.size() - 30);
}

TEST_F(SensorTest, keeps_the_id_over_exec_and_gives_ancestors_of_nested_shells) {
  watch();
  base::TempDir directory;
  const std::string shell = real_path("/bin/sh");
  const std::string pids = directory / "pids";
  const pid_t pid =
      launch({"/bin/sh", "-c", "/bin/sh -c '/bin/sleep 0 & echo $! > " + pids + "; wait; exit 0'; exit 0"});
  finish(pid);
  pid_t sleeper = 0;
  std::ifstream(pids) >> sleeper;
  const auto slept = events_.wait_for(is_exec_of(sleeper));
  ASSERT_TRUE(slept);
  EXPECT_EQ(slept->process_command_line(), "/bin/sleep 0");
  EXPECT_TRUE(slept->process_ancestors().starts_with(shell + "\n" + shell + "\n" + own_executable() + "\n"))
      << slept->process_ancestors();
  EXPECT_EQ(slept->process_parent_executable(), shell);
  const auto inner = events_.wait_for(is_exec_of(static_cast<pid_t>(slept->process_parent_pid())));
  ASSERT_TRUE(inner);
  EXPECT_EQ(inner->process_entity_id(), slept->process_parent_entity_id());
  EXPECT_EQ(inner->process_parent_pid(), pid);

  const pid_t twice = launch({"/bin/sh", "-c", "exec /bin/true"});
  finish(twice);
  ASSERT_TRUE(events_.wait_for(is_end_of(twice)));
  const auto images = events_.all(is_exec_of(twice));
  ASSERT_EQ(images.size(), 2U);
  EXPECT_EQ(images[0].process_entity_id(), images[1].process_entity_id());
  EXPECT_EQ(images[1].process_name(), real_path("/bin/true").substr(real_path("/bin/true").rfind('/') + 1));
}

TEST_F(SensorTest, gives_a_fork_without_exec_its_own_id_and_its_parents_program) {
  watch();
  base::TempDir directory;
  const std::string path = directory / "by-fork";
  const pid_t pid = in_child([&] { close(open(path.c_str(), O_WRONLY | O_CREAT, 0600)); });
  finish(pid);
  const auto made = events_.wait_for(is_file("create", path));
  ASSERT_TRUE(made);
  EXPECT_EQ(made->process_pid(), pid);
  EXPECT_EQ(made->process_executable(), own_executable());
  EXPECT_EQ(made->process_parent_pid(), getpid());
  EXPECT_NE(made->process_entity_id(), made->process_parent_entity_id());
  EXPECT_TRUE(events_.all(is_exec_of(pid)).empty());
}

TEST_F(SensorTest, tells_what_happens_to_files) {
  watch();
  base::TempDir directory;
  const std::string script = "cd '" + directory.path() +
                             "' && echo 1234 > one.txt && echo more >> one.txt && mv one.txt two.dat && cat two.dat > "
                             "/dev/null && mkdir sub && "
                             "mv two.dat sub/../three && rm three && rmdir sub";
  const pid_t pid = launch({"/bin/sh", "-c", script});
  EXPECT_EQ(finish(pid), 0);
  EXPECT_TRUE(events_.wait_for(is_file("rmdir", directory / "sub")));
  const auto created = events_.wait_for(is_file("create", directory / "one.txt"));
  ASSERT_TRUE(created);
  EXPECT_EQ(created->file_name(), "one.txt");
  EXPECT_EQ(created->file_directory(), directory.path());
  EXPECT_EQ(created->file_extension(), "txt");
  EXPECT_EQ(created->file_size(), 0);
  EXPECT_EQ(created->process_pid(), pid);
  const auto written = events_.wait_for(is_file("write", directory / "one.txt"));
  ASSERT_TRUE(written);
  EXPECT_EQ(written->file_size(), 5);
  EXPECT_EQ(written->file_inode(), created->file_inode());
  const auto renamed = events_.wait_for(is_file("rename", directory / "two.dat"));
  ASSERT_TRUE(renamed);
  EXPECT_EQ(renamed->file_previous_path(), directory / "one.txt");
  EXPECT_EQ(renamed->process_name(), "mv");
  const auto again = events_.wait_for(is_file("rename", directory / "three"));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->file_previous_path(), directory / "two.dat");
  EXPECT_TRUE(events_.wait_for(is_file("change", directory / "one.txt")));
  const auto here = events_.all([&](const v1::Event& event) {
    return event.file_directory() == directory.path() && event.event_action() != "change";
  });
  EXPECT_EQ(here.size(), 7U) << "reading and failures are no events";
}

TEST_F(SensorTest, resolves_paths_against_directory_descriptors_and_roots) {
  watch();
  base::TempDir directory;
  const pid_t pid = in_child([&] {
    const int base = open(directory.path().c_str(), O_RDONLY | O_DIRECTORY);
    close(openat(base, "a", O_WRONLY | O_CREAT, 0600));
    renameat(base, "a", base, "./b");
    unlinkat(base, "b", 0);
    if (chroot(directory.path().c_str()) != 0) _exit(1);
    close(open("/c", O_WRONLY | O_CREAT, 0600));
    unlink("/c");
  });
  EXPECT_EQ(finish(pid), 0);
  EXPECT_TRUE(events_.wait_for(is_file("create", directory / "a")));
  EXPECT_TRUE(events_.wait_for(is_file("rename", directory / "b")));
  EXPECT_TRUE(events_.wait_for(is_file("delete", directory / "b")));
  EXPECT_TRUE(events_.wait_for(is_file("create", directory / "c")));
  EXPECT_TRUE(events_.wait_for(is_file("delete", directory / "c")));
}

TEST_F(SensorTest, sees_the_32_bit_system_calls) {
  watch();
  base::TempDir directory;
  const std::string path = directory / "compat";
  const pid_t pid = in_child([&] {
    // i386 system calls take 32-bit pointers.
    auto* low =
        static_cast<char*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0));
    strcpy(low, path.c_str());
    const auto call = [](long number, long first, long second) {
      long result = number;
      asm volatile("int $0x80" : "+a"(result) : "b"(first), "c"(second), "d"(0L) : "memory", "r8", "r9", "r10", "r11");
      return result;
    };
    constexpr long kCreat = 8;
    constexpr long kUnlink = 10;
    if (call(kCreat, reinterpret_cast<long>(low), 0600) < 0) _exit(9);
    call(kUnlink, reinterpret_cast<long>(low), 0);
  });
  const int status = finish(pid);
  if (!WIFEXITED(status) || WEXITSTATUS(status) == 9) GTEST_SKIP() << "skipped: this kernel has no i386 entry";
  EXPECT_TRUE(events_.wait_for(is_file("create", path)));
  EXPECT_TRUE(events_.wait_for(is_file("delete", path)));
}

TEST_F(SensorTest, knows_processes_that_ran_before_it) {
  base::TempDir directory;
  const std::string path = directory / "later";
  const std::string go = directory / "go";
  ASSERT_EQ(mkfifo(go.c_str(), 0600), 0);
  const pid_t pid = launch({"/bin/sh", "-c", "read line < " + go + "; echo late > " + path, "named"}, directory.path());
  start();
  {
    std::ofstream(go) << "now\n";
  }
  finish(pid);
  const auto made = events_.wait_for(is_file("create", path));
  ASSERT_TRUE(made);
  EXPECT_EQ(made->process_executable(), real_path("/bin/sh"));
  EXPECT_EQ(made->process_command_line(), "/bin/sh -c read line < " + go + "; echo late > " + path + " named");
  EXPECT_EQ(made->process_working_directory(), directory.path());
  EXPECT_EQ(made->process_parent_executable(), own_executable());
  EXPECT_EQ(made->process_hash_sha256(), *base::sha256_file_hex(real_path("/bin/sh"), size_t{64} << 20));
  const auto ended = events_.wait_for(is_end_of(pid));
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->process_entity_id(), made->process_entity_id());
}

TEST_F(SensorTest, reads_the_container_id_from_the_cgroup) {
  std::string root = "/sys/fs/cgroup";
  if (access((root + "/cgroup.procs").c_str(), F_OK) != 0) root += "/unified";
  const std::string id = base::sha256_hex("container of " + std::to_string(getpid()));
  const std::string group = root + "/docker-" + id + ".scope";
  if (mkdir(group.c_str(), 0700) != 0) GTEST_SKIP() << "skipped: no writable cgroup version 2 at " << root;
  start();
  const pid_t pid = in_child([&] {
    const int fd = open((group + "/cgroup.procs").c_str(), O_WRONLY);
    if (write(fd, "0", 1) != 1) _exit(1);
    execl("/bin/sh", "sh", "-c", "exit 0", nullptr);
  });
  EXPECT_EQ(finish(pid), 0);
  struct stat status{};
  stat(group.c_str(), &status);
  rmdir(group.c_str());
  const auto started = events_.wait_for(is_exec_of(pid));
  ASSERT_TRUE(started);
  EXPECT_EQ(started->container_id(), id);
  EXPECT_EQ(started->process_cgroup_id(), static_cast<int64_t>(status.st_ino));
}

TEST_F(SensorTest, is_quiet_about_its_own_files_and_those_of_named_processes) {
  base::TempDir directory;
  const std::string go = directory / "go";
  ASSERT_EQ(mkfifo(go.c_str(), 0600), 0);
  const pid_t named = launch({"/bin/sh", "-c", "read line < " + go + "; echo > " + directory.path() + "/named"});
  SensorOptions options;
  options.quiet_pids = {named};
  start(options);
  close(open((directory / "own").c_str(), O_WRONLY | O_CREAT, 0600));
  {
    std::ofstream(go) << "now\n";
  }
  finish(named);
  const pid_t other = launch({"/bin/sh", "-c", "echo > " + directory.path() + "/other"});
  finish(other);
  ASSERT_TRUE(events_.wait_for(is_file("create", directory / "other")));
  EXPECT_TRUE(events_.wait_for(is_end_of(named)));
  EXPECT_TRUE(events_.all(is_file("create", directory / "own")).empty());
  EXPECT_TRUE(events_.all(is_file("create", directory / "named")).empty());
}

TEST_F(SensorLossTest, books_balance_when_the_rings_overflow) {
  SensorOptions options;
  options.ring_critical_bytes = 4096;
  options.ring_bulk_bytes = 4096;
  options.repeats = Repeats::told;
  start_alone(options);
  base::TempDir directory;
  const std::string path = directory / "f";
  std::unique_lock held = events_.hold_up();
  overflow(
      [&] {
        finish(in_child([&] {
          for (int i = 0; i < 1000; ++i) close(open(path.c_str(), O_WRONLY | O_CREAT, 0600));
        }));
      },
      {&SensorAccount::critical, &SensorAccount::bulk});
  held.unlock();
  stop();
  const SensorAccount account = sensor().account();
  EXPECT_GT(account.bulk.lost, 0U);
  EXPECT_GT(account.critical.lost, 0U);
  EXPECT_GE(account.bulk.produced, 1000U);
  EXPECT_EQ(account.critical.produced, account.critical.taken + account.critical.lost);
  EXPECT_EQ(account.bulk.produced, account.bulk.taken + account.bulk.lost);
  uint64_t critical = 0;
  uint64_t bulk = 0;
  for (const v1::Event& event : events_.all([](const auto& e) { return e.event_type() == v1::EVENT_TYPE_LOSS; })) {
    (event.loss_cause().ends_with("_critical") ? critical : bulk) += static_cast<uint64_t>(event.loss_count());
    EXPECT_LE(event.loss_since(), event.loss_until());
  }
  EXPECT_EQ(critical, account.critical.lost);
  EXPECT_EQ(bulk, account.bulk.lost);
  EXPECT_EQ(account.loss_declared, account.critical.lost + account.bulk.lost);
  EXPECT_EQ(account.malformed, 0U);
}

TEST_F(SensorLossTest, knows_a_program_whose_start_was_lost) {
  SensorOptions options;
  options.ring_critical_bytes = 4096;
  start_alone(options);
  base::TempDir directory;
  const std::string path = directory / "f";
  const std::string stop = directory / "stop";
  std::unique_lock held = events_.hold_up();
  overflow([] { finish(in_child([] {})); }, {&SensorAccount::critical});
  const std::string script = "while [ ! -e " + stop + " ]; do echo >> " + path + "; sleep 0.05; done";
  const pid_t pid = launch({"/bin/sh", "-c", script});
  wait_for_file(path);  // it has started, while nobody could be told
  held.unlock();
  const auto written = events_.wait_for([&](const v1::Event& event) {
    return event.file_path() == path && event.process_pid() == pid &&
           event.process_executable() == real_path("/bin/sh");
  });
  std::ofstream(stop) << "\n";
  finish(pid);
  ASSERT_TRUE(written);
  EXPECT_EQ(written->process_command_line(), "/bin/sh -c " + script);
  EXPECT_EQ(written->process_parent_executable(), own_executable());
  EXPECT_TRUE(events_.all(is_exec_of(pid)).empty());
  EXPECT_TRUE(events_.wait_for([](const v1::Event& event) { return event.loss_cause().ends_with("_critical"); }));
}

TEST_F(SensorTest, marks_paths_that_are_too_deep_to_be_told_whole) {
  watch();
  base::TempDir directory;
  const pid_t pid = in_child([&] {
    if (chdir(directory.path().c_str()) != 0) _exit(1);
    for (int depth = 0; depth < 150; ++depth) {
      if (mkdir("d", 0700) != 0 || chdir("d") != 0) _exit(1);
    }
    close(open("deep", O_WRONLY | O_CREAT, 0600));
  });
  EXPECT_EQ(finish(pid), 0);
  const auto made = events_.wait_for([](const v1::Event& event) { return event.file_name() == "deep"; });
  ASSERT_TRUE(made);
  EXPECT_TRUE(made->file_path().starts_with("/…/d/d/")) << made->file_path();
  EXPECT_TRUE(made->file_path().ends_with("/d/d/deep"));
}

double cpu_seconds(int who) {
  rusage usage{};
  getrusage(who, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

long rss_kib() {
  long pages = 0;
  std::ifstream statm("/proc/self/statm");
  statm >> pages >> pages;
  return pages * sysconf(_SC_PAGESIZE) / 1024;
}

// Counts and forgets, so that the memory measured is the sensor's.
class Counter : public EventSink {
 public:
  void take(v1::Event&& event) override {
    if (event.event_type() == v1::EVENT_TYPE_PROCESS) ++execs;
    if (event.event_type() == v1::EVENT_TYPE_LOSS) ++losses;
  }
  std::atomic<int> execs{0};
  std::atomic<int> losses{0};
};

TEST_F(SensorTest, keeps_up_with_a_loop_of_2000_programs_a_second) {
  shared_sensor.end();
  Counter counter;
  SensorOptions options{.host_id = "host", .boot_id = "boot", .tier = tier_under_test()};
  const long rss_without = rss_kib();
  auto sensor = Sensor::start(options, counter);
  ASSERT_TRUE(sensor.has_value()) << sensor.error().message;
  constexpr int kPrograms = 10000;
  const double cpu_before = cpu_seconds(RUSAGE_SELF);
  const long rss_before = rss_kib();
  const auto begin = std::chrono::steady_clock::now();
  const auto loop = [] {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < kPrograms / 2; ++i) {
      const pid_t child = vfork();
      if (child == 0) {
        execl("/bin/true", "true", nullptr);
        _exit(127);
      }
      waitpid(child, nullptr, 0);
      std::this_thread::sleep_until(start + std::chrono::milliseconds(1) * i);
    }
  };
  const pid_t first = in_child(loop);
  const pid_t second = in_child(loop);
  finish(first);
  finish(second);
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
  (*sensor)->stop();
  const SensorAccount account = (*sensor)->account();
  printf(
      "[ measured ] %.0f execs/s for %.1f s: cpu %.1f %% of one core, rss %ld KiB (%ld before the sensor, %ld at its "
      "start), table %zu, lost %lu, hashes "
      "missed %lu\n",
      kPrograms / wall.count(), wall.count(), (cpu_seconds(RUSAGE_SELF) - cpu_before) / wall.count() * 100, rss_kib(),
      rss_without, rss_before, account.processes, account.critical.lost + account.bulk.lost, account.hashes_missed);
  EXPECT_GE(counter.execs, kPrograms);
  EXPECT_EQ(account.critical.lost, 0U);
}

}  // namespace
}  // namespace redoubt::sensor
