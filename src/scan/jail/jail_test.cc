#include "scan/jail/jail.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <functional>

#include "base/file.h"

namespace redoubt::scan {
namespace {

constexpr int kJailFailed = 99;

// Runs `probe` in a jailed child; its exit status, or 1000 + the signal that ended it.
int in_jail(const std::function<int()>& probe) {
  const pid_t pid = fork();
  if (pid == 0) {
    const auto jail =
        enter_jail({.memory_bytes_max = uint64_t{512} << 20, .memory_file_bytes_max = 1 << 20, .cpu_seconds_max = 1});
    _exit(jail ? probe() : kJailFailed);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

int errno_of(long result) { return result < 0 ? errno : 0; }

TEST(Jail, holds_memory_reading_and_time) {
  EXPECT_EQ(in_jail([] {
              void* memory = mmap(nullptr, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
              if (memory == MAP_FAILED) return 1;
              munmap(memory, 1 << 20);
              timespec now{};
              return clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) == 0 ? 0 : 2;
            }),
            0);
}

TEST(Jail, refuses_every_way_to_a_file) {
  EXPECT_EQ(in_jail([] { return errno_of(open("/etc/passwd", O_RDONLY)); }), EPERM);
  EXPECT_EQ(in_jail([] { return errno_of(open("/tmp/redoubt-jail", O_CREAT | O_WRONLY, 0600)); }), EPERM);
  EXPECT_EQ(in_jail([] { return errno_of(unlink("/tmp/redoubt-jail")); }), EPERM);
  EXPECT_EQ(in_jail([] { return errno_of(mkdir("/tmp/redoubt-jail", 0700)); }), EPERM);
  EXPECT_EQ(in_jail([] { return errno_of(syscall(SYS_openat2, AT_FDCWD, "/", nullptr, 0)); }), EPERM);
  struct stat info{};
  EXPECT_EQ(in_jail([&] { return errno_of(stat("/etc/passwd", &info)); }), EPERM);
}

TEST(Jail, socket_process_and_program_end_it) {
  EXPECT_EQ(in_jail([] { return errno_of(socket(AF_INET, SOCK_STREAM, 0)); }), 1000 + SIGSYS);
  EXPECT_EQ(in_jail([] { return errno_of(socket(AF_UNIX, SOCK_STREAM, 0)); }), 1000 + SIGSYS);
  EXPECT_EQ(in_jail([] { return errno_of(fork()); }), 1000 + SIGSYS);
  EXPECT_EQ(in_jail([] { return errno_of(execl("/bin/true", "true", nullptr)); }), 1000 + SIGSYS);
  EXPECT_EQ(in_jail([] { return errno_of(syscall(SYS_ptrace, 0, 0, 0, 0)); }), 1000 + SIGSYS);
  EXPECT_EQ(in_jail([] { return errno_of(syscall(SYS_io_uring_setup, 1, nullptr)); }), 1000 + SIGSYS);
}

TEST(Jail, refuses_executable_memory_and_signals_to_others) {
  EXPECT_EQ(
      in_jail([] {
        return mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? errno : 0;
      }),
      EPERM);
  EXPECT_EQ(in_jail([] { return errno_of(kill(getppid(), 0)); }), EPERM);
  const pid_t parent = getpid();
  EXPECT_EQ(in_jail([parent] { return errno_of(syscall(SYS_tgkill, parent, parent, 0)); }), EPERM);
}

TEST(Jail, bounds_memory_and_processor_time) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the address sanitizer needs more address space than the jail leaves";
#endif
  EXPECT_EQ(in_jail([] {
              void* memory = mmap(nullptr, size_t{1} << 30, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
              return memory == MAP_FAILED ? errno : 0;
            }),
            ENOMEM);
  EXPECT_EQ(in_jail([] {
              while (getpid() > 0) continue;
              return 0;
            }),
            1000 + SIGKILL);
}

TEST(Jail, memory_files_are_bounded_and_the_only_ones) {
  const auto grow = [](off_t size) {
    const int file = static_cast<int>(syscall(SYS_memfd_create, "x", 0));
    return file < 0 ? 200 : errno_of(ftruncate(file, size));
  };
  EXPECT_EQ(in_jail([&] { return grow(1 << 20); }), 0);
  EXPECT_EQ(in_jail([&] { return grow((1 << 20) + 1); }), EFBIG);
  EXPECT_EQ(in_jail([] { return errno_of(ftruncate(STDERR_FILENO, 0)); }), EPERM);
  EXPECT_EQ(in_jail([] {
              const int file = static_cast<int>(syscall(SYS_memfd_create, "x", 0));
              return errno_of(write(file, "x", 1));
            }),
            EPERM);
}

TEST(Jail, log_that_is_a_file_is_left_behind) {
  base::TempDir directory;
  const std::string path = directory / "log";
  const pid_t pid = fork();
  if (pid == 0) {
    dup2(open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600), STDERR_FILENO);
    const auto jail = enter_jail({.memory_bytes_max = 1 << 29, .memory_file_bytes_max = 1 << 20, .cpu_seconds_max = 1});
    _exit(jail && write(STDERR_FILENO, "x", 1) == 1 ? 0 : 1);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(base::read_file(path, 10).value_or("?"), "");
}

TEST(Jail, root_becomes_nobody_without_a_network) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  const pid_t pid = fork();
  if (pid == 0) {
    const auto jail =
        enter_jail({.memory_bytes_max = uint64_t{512} << 20, .memory_file_bytes_max = 1 << 20, .cpu_seconds_max = 1});
    if (!jail) _exit(kJailFailed);
    // System calls that the jail refuses cannot ask: the description can.
    const bool good =
        jail->find("uid 65534") != std::string::npos && jail->find("network namespace") != std::string::npos;
    _exit(good ? 0 : 1);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(Jail, ordinary_user_gets_it_too) {
  if (geteuid() != 0) GTEST_SKIP() << "every other test here shows it";
  const pid_t pid = fork();
  if (pid == 0) {
    if (setresgid(65533, 65533, 65533) != 0 || setresuid(65533, 65533, 65533) != 0) _exit(98);
    const auto jail =
        enter_jail({.memory_bytes_max = uint64_t{512} << 20, .memory_file_bytes_max = 1 << 20, .cpu_seconds_max = 1});
    _exit(jail ? errno_of(open("/etc/passwd", O_RDONLY)) : kJailFailed);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), EPERM);
}

}  // namespace
}  // namespace redoubt::scan
