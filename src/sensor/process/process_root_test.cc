// What a start tells beside the program: programs are really started from scripts, memory, deleted files, overlays and
// namespaces, and the events compared.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <linux/capability.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/file.h"
#include "base/hash.h"
#include "sensor/test_sensor.h"

namespace redoubt::sensor {
namespace {

using Variables = std::vector<std::string>;

class ProcessStartTest : public SensorTest {
 protected:
  // The event of the program that the child starts.
  v1::Event started_by(const std::function<void()>& act) {
    const pid_t pid = in_child(act);
    EXPECT_EQ(finish(pid), 0);
    const auto started = events_.wait_for(is_exec_of(pid));
    EXPECT_TRUE(started);
    return started.value_or(v1::Event());
  }

  v1::Event started_with(const Variables& variables) {
    return started_by([&] {
      std::vector<char*> environment;
      for (const std::string& each : variables) environment.push_back(const_cast<char*>(each.c_str()));
      environment.push_back(nullptr);
      char* arguments[] = {const_cast<char*>("true"), nullptr};
      execve("/bin/true", arguments, environment.data());
    });
  }
};

void make_script(const std::string& path) {
  std::ofstream(path) << "#!/bin/sh\nexit 0\n";
  ASSERT_EQ(chmod(path.c_str(), 0700), 0);
}

// Fails the child if a step does not work.
void must(bool done) {
  if (!done) _exit(9);
}

int64_t namespace_of_self(const char* kind) {
  struct stat status{};
  stat((std::string("/proc/self/ns/") + kind).c_str(), &status);
  return static_cast<int64_t>(status.st_ino);
}

TEST_F(ProcessStartTest, names_the_script_that_an_interpreter_was_started_for) {
  watch();
  base::TempDir directory;
  make_script(directory / "job.sh");
  const v1::Event relative = started_by([&] {
    must(chdir(directory.path().c_str()) == 0);
    execl("./job.sh", "job", "two", nullptr);
  });
  EXPECT_EQ(relative.process_script(), directory / "job.sh");
  EXPECT_EQ(relative.process_executable(), real_path("/bin/sh"));
  EXPECT_EQ(relative.process_command_line(), "/bin/sh ./job.sh two");
  const v1::Event absolute = started_by([&] { execl((directory / "job.sh").c_str(), "job", nullptr); });
  EXPECT_EQ(absolute.process_script(), directory / "job.sh");
  const auto ended = events_.wait_for(is_end_of(static_cast<pid_t>(absolute.process_pid())));
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->process_script(), directory / "job.sh");
  const v1::Event plain = started_by([] { execl("/bin/true", "true", nullptr); });
  EXPECT_FALSE(plain.has_process_script());
}

TEST_F(ProcessStartTest, tells_the_names_of_the_kernel) {
  watch();
  base::TempDir directory;
  make_script(directory / "a-rather-long-name.sh");
  const v1::Event script = started_by([&] { execl((directory / "a-rather-long-name.sh").c_str(), "x", nullptr); });
  EXPECT_EQ(script.process_comm(), "a-rather-long-n");
  EXPECT_EQ(script.process_name(), std::filesystem::path(real_path("/bin/sh")).filename());
  must(symlink("/bin/true", (directory / "other").c_str()) == 0);
  const v1::Event link = started_by([&] { execl((directory / "other").c_str(), "x", nullptr); });
  EXPECT_EQ(link.process_comm(), "other");
  EXPECT_EQ(link.process_name(), "true");
}

TEST_F(ProcessStartTest, tells_the_names_that_ancestors_gave_themselves) {
  watch();
  const v1::Event started = started_by([&] {
    // The name is seen with the next event of the process.
    must(prctl(PR_SET_NAME, "first\nname") == 0);
    must(unshare(CLONE_NEWUTS) == 0);
    const pid_t child = fork();
    if (child != 0) {
      int status = 0;
      waitpid(child, &status, 0);
      execl("/bin/true", "true", nullptr);
    }
    must(prctl(PR_SET_NAME, "second") == 0);
    must(unshare(CLONE_NEWUTS) == 0);
    if (const pid_t grandchild = fork(); grandchild != 0) {
      waitpid(grandchild, nullptr, 0);
      _exit(0);
    }
    execl("/bin/sleep", "sleep", "0", nullptr);
  });
  const auto below = events_.wait_for([&](const v1::Event& event) {
    return event.process_name() == "sleep" && event.process_ancestor_comms().starts_with("second\nfirst name\n");
  });
  ASSERT_TRUE(below);
  EXPECT_EQ(below->process_parent_comm(), "second");
  EXPECT_EQ(started.process_comm(), "true");
}

TEST_F(ProcessStartTest, names_the_script_below_another_root) {
  watch();
  base::TempDir directory;
  for (const char* below : {"bin", "lib", "lib64", "usr"}) std::filesystem::create_directory(directory / below);
  const v1::Event started = started_by([&] {
    must(unshare(CLONE_NEWNS) == 0 && mount("", "/", "", MS_REC | MS_PRIVATE, nullptr) == 0);
    for (const char* below : {"bin", "lib", "lib64", "usr"}) {
      const std::string from = real_path(std::string("/") + below);
      must(mount(from.c_str(), (directory / below).c_str(), "", MS_BIND | MS_REC, nullptr) == 0);
    }
    std::ofstream(directory / "job.sh") << "#!/bin/sh\nexit 0\n";
    must(chmod((directory / "job.sh").c_str(), 0700) == 0);
    must(chroot(directory.path().c_str()) == 0 && chdir("/") == 0);
    execl("/job.sh", "job", nullptr);
  });
  EXPECT_EQ(started.process_script(), directory / "job.sh");
}

TEST_F(ProcessStartTest, marks_a_program_that_lies_in_memory) {
  watch();
  const v1::Event started = started_by([] {
    const int program = memfd_create("worker:1/x", MFD_CLOEXEC);
    const auto bytes = base::read_file("/bin/sleep", size_t{16} << 20);
    must(program >= 0 && bytes && write(program, bytes->data(), bytes->size()) == static_cast<ssize_t>(bytes->size()));
    // It lives long enough to be read: its memory is all that there is of it.
    char* arguments[] = {const_cast<char*>("[kworker/0:1]"), const_cast<char*>("0.5"), nullptr};
    fexecve(program, arguments, environ);
  });
  EXPECT_EQ(started.process_executable(), "memfd:worker:1/x");
  EXPECT_EQ(started.process_from_memfd(), "true");
  EXPECT_FALSE(started.has_process_from_deleted());
  EXPECT_EQ(started.process_command_line(), "[kworker/0:1] 0.5");
  EXPECT_EQ(started.process_hash_sha256(), *base::sha256_file_hex(real_path("/bin/sleep"), size_t{64} << 20));
}

TEST_F(ProcessStartTest, marks_a_program_that_was_deleted_before_its_start) {
  watch();
  base::TempDir directory;
  const std::string path = directory / "gone";
  std::filesystem::copy_file("/bin/true", path);
  const v1::Event started = started_by([&] {
    const int program = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    must(program >= 0 && unlink(path.c_str()) == 0);
    char* arguments[] = {const_cast<char*>("gone"), nullptr};
    fexecve(program, arguments, environ);
  });
  EXPECT_EQ(started.process_executable(), path);
  EXPECT_EQ(started.process_from_deleted(), "true");
  EXPECT_FALSE(started.has_process_from_memfd());
}

TEST_F(ProcessStartTest, is_not_misled_by_a_file_that_is_called_memfd) {
  watch();
  base::TempDir directory;
  const std::string path = directory / "memfd:x";
  std::filesystem::copy_file("/bin/true", path);
  const v1::Event started = started_by([&] { execl(path.c_str(), "x", nullptr); });
  EXPECT_EQ(started.process_executable(), path);
  EXPECT_FALSE(started.has_process_from_memfd());
}

TEST_F(ProcessStartTest, tells_programs_of_an_overlays_upper_layer_from_those_of_the_image) {
  watch();
  base::TempDir directory;
  const auto run = [&](const char* program) {
    return in_child([&] {
      must(unshare(CLONE_NEWNS) == 0 && mount("", "/", "", MS_REC | MS_PRIVATE, nullptr) == 0);
      must(mount("layers", directory.path().c_str(), "tmpfs", 0, nullptr) == 0);
      for (const char* each : {"lower", "upper", "work", "root"}) std::filesystem::create_directory(directory / each);
      std::filesystem::copy_file("/bin/true", directory / "lower/shipped");
      const std::string layers = "lowerdir=" + directory.path() + "/lower,upperdir=" + directory.path() +
                                 "/upper,workdir=" + directory.path() + "/work";
      if (mount("overlay", (directory / "root").c_str(), "overlay", 0, layers.c_str()) != 0) _exit(7);
      std::filesystem::copy_file("/bin/true", directory / "root/dropped");
      execl((directory / ("root/" + std::string(program))).c_str(), program, nullptr);
    });
  };
  const pid_t shipped = run("shipped");
  const int status = finish(shipped);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 7) GTEST_SKIP() << "skipped: this kernel has no overlayfs";
  EXPECT_EQ(status, 0);
  const pid_t dropped = run("dropped");
  EXPECT_EQ(finish(dropped), 0);
  const auto from_image = events_.wait_for(is_exec_of(shipped));
  const auto from_above = events_.wait_for(is_exec_of(dropped));
  ASSERT_TRUE(from_image && from_above);
  EXPECT_EQ(from_image->process_executable(), directory / "root/shipped");
  EXPECT_FALSE(from_image->has_process_from_upper_layer());
  EXPECT_EQ(from_above->process_executable(), directory / "root/dropped");
  EXPECT_EQ(from_above->process_from_upper_layer(), "true");
}

TEST_F(ProcessStartTest, tells_the_capabilities) {
  watch();
  const v1::Event cut = started_by([] {
    for (int each = 0; each < 64; ++each) {
      if (each != CAP_CHOWN && each != CAP_SYS_PTRACE) prctl(PR_CAPBSET_DROP, each);
    }
    execl("/bin/true", "true", nullptr);
  });
  EXPECT_EQ(cut.process_cap_effective(), "CAP_CHOWN CAP_SYS_PTRACE");
  EXPECT_EQ(cut.process_cap_permitted(), "CAP_CHOWN CAP_SYS_PTRACE");
  const v1::Event nobody = started_by([] {
    must(setgid(65534) == 0 && setuid(65534) == 0);
    execl("/bin/true", "true", nullptr);
  });
  EXPECT_FALSE(nobody.has_process_cap_effective());
  EXPECT_FALSE(nobody.has_process_cap_permitted());
}

TEST_F(ProcessStartTest, tells_namespaces_and_the_number_in_its_own) {
  watch();
  struct Seen {
    int64_t pid, mount, network, user;
    pid_t number;
  } seen{};
  int report[2];
  ASSERT_EQ(pipe(report), 0);
  const pid_t outer = in_child([&] {
    must(unshare(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET) == 0);
    const pid_t inner = fork();
    if (inner == 0) {
      const Seen own{.pid = namespace_of_self("pid"),
                     .mount = namespace_of_self("mnt"),
                     .network = namespace_of_self("net"),
                     .user = namespace_of_self("user"),
                     .number = getpid()};
      (void)!write(report[1], &own, sizeof own);
      execl("/bin/true", "inner", nullptr);
    }
    waitpid(inner, nullptr, 0);
  });
  ASSERT_EQ(read(report[0], &seen, sizeof seen), static_cast<ssize_t>(sizeof seen));
  close(report[0]);
  close(report[1]);
  EXPECT_EQ(finish(outer), 0);
  const auto started = events_.wait_for([&](const v1::Event& event) {
    return event.process_parent_pid() == outer && event.event_type() == v1::EVENT_TYPE_PROCESS;
  });
  ASSERT_TRUE(started);
  EXPECT_EQ(seen.number, 1);
  EXPECT_EQ(started->process_vpid(), 1);
  EXPECT_NE(started->process_pid(), 1);
  EXPECT_EQ(started->process_namespace_pid(), seen.pid);
  EXPECT_EQ(started->process_namespace_mount(), seen.mount);
  EXPECT_EQ(started->process_namespace_network(), seen.network);
  EXPECT_EQ(started->process_namespace_user(), seen.user);
  EXPECT_NE(started->process_namespace_pid(), namespace_of_self("pid"));
}

TEST_F(ProcessStartTest, tells_group_and_session) {
  watch();
  const v1::Event member = started_by([] { execl("/bin/true", "true", nullptr); });
  EXPECT_EQ(member.process_vpid(), member.process_pid());
  EXPECT_EQ(member.process_group_leader_pid(), getpgrp());
  EXPECT_EQ(member.process_session_leader_pid(), getsid(0));
  EXPECT_FALSE(member.has_process_leads_group());
  const v1::Event leader = started_by([] {
    must(setsid() > 0);
    execl("/bin/true", "true", nullptr);
  });
  EXPECT_EQ(leader.process_group_leader_pid(), leader.process_pid());
  EXPECT_EQ(leader.process_session_leader_pid(), leader.process_pid());
  EXPECT_EQ(leader.process_leads_group(), "true");
}

TEST_F(ProcessStartTest, tells_the_chosen_variables_alone) {
  watch();
  const v1::Event some = started_with({"SECRET=x", "BASH_ENV=/tmp/.rc", "NOT_LD_PRELOAD=/no", "LD_PRELOADED=no",
                                       "HTTP_PROXY=http://127.0.0.1:3128", "LD_DEBUG", "HISTFILE="});
  EXPECT_EQ(some.process_env_vars(), "BASH_ENV=/tmp/.rc\nHTTP_PROXY=http://127.0.0.1:3128\nHISTFILE=");
  EXPECT_FALSE(started_with({"SECRET=x"}).has_process_env_vars());
  EXPECT_FALSE(started_with({}).has_process_env_vars());
}

TEST_F(ProcessStartTest, tells_proxies_without_their_credentials) {
  watch();
  const v1::Event some = started_with({"https_proxy=http://user:password@127.0.0.1:3128", "BASH_ENV=/tmp/a:b@c"});
  EXPECT_EQ(some.process_env_vars(), "https_proxy=http://***@127.0.0.1:3128\nBASH_ENV=/tmp/a:b@c");
}

TEST_F(ProcessStartTest, finds_a_variable_behind_long_ones_and_cuts_long_values) {
  watch();
  const v1::Event started = started_with(
      {"PADDING=" + std::string(100'000, 'p'), "BASH_ENV=/" + std::string(5000, 'v'), "HISTFILE=/dev/null"});
  EXPECT_EQ(started.process_env_vars(), "BASH_ENV=/" + std::string(1023 - 10, 'v') + "…\nHISTFILE=/dev/null");
}

TEST_F(ProcessStartTest, says_what_of_the_environment_it_did_not_look_at) {
  watch();
  Variables many;
  constexpr int kLookedAt = 16 * 48;
  for (int i = 0; i < kLookedAt + 88; ++i) many.emplace_back("A=1");
  many.emplace_back("LD_PRELOAD=/hidden.so");
  const v1::Event started = started_with(many);
  EXPECT_EQ(started.process_env_vars(), "…[+" + std::to_string(88 * 4 + 22) + " bytes]");
}

TEST_F(ProcessStartTest, tells_other_variables_if_told_so) {
  SensorOptions options;
  options.environment_names = {"ONLY_THIS"};
  start(options);
  EXPECT_EQ(started_with({"BASH_ENV=/x", "ONLY_THIS=1"}).process_env_vars(), "ONLY_THIS=1");
  options.environment_names = {std::string(kEnvironmentNameBytesMax + 1, 'x')};
  Collector other;
  EXPECT_FALSE(Sensor::start(options, other).has_value());
}

TEST_F(ProcessStartTest, tells_when_the_program_changed_last) {
  watch();
  base::TempDir directory;
  const std::string path = directory / "fresh";
  std::filesystem::copy_file("/bin/true", path);
  struct stat status{};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  const v1::Event started = started_by([&] { execl(path.c_str(), "fresh", nullptr); });
  EXPECT_EQ(started.process_program_changed(), status.st_ctim.tv_sec * 1'000'000 + status.st_ctim.tv_nsec / 1000);
}

TEST_F(ProcessStartTest, sees_programs_that_the_32_bit_call_starts) {
  watch();
  const pid_t pid = in_child([] {
    auto* low =
        static_cast<char*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0));
    strcpy(low, "/bin/true");
    auto* vector = reinterpret_cast<uint32_t*>(low + 64);
    vector[0] = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(low));
    long result = 11;  // execve
    asm volatile("int $0x80"
                 : "+a"(result)
                 : "b"(low), "c"(vector), "d"(vector + 1)
                 : "memory", "r8", "r9", "r10", "r11");
    _exit(9);
  });
  const int status = finish(pid);
  if (!WIFEXITED(status) || WEXITSTATUS(status) == 9) GTEST_SKIP() << "skipped: this kernel has no i386 entry";
  const auto started = events_.wait_for(is_exec_of(pid));
  ASSERT_TRUE(started);
  EXPECT_EQ(started->process_executable(), real_path("/bin/true"));
  EXPECT_EQ(started->process_command_line(), "/bin/true");
  EXPECT_EQ(started->process_vpid(), pid);
}

}  // namespace
}  // namespace redoubt::sensor
