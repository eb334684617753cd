#include "apps/redoubt/daemon.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/wait.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <sstream>

#include "base/file.h"
#include "base/time.h"

namespace redoubt::cli {

namespace {

constexpr size_t kSmallFileMax = 4096;
constexpr size_t kLogTailMax = size_t{64} << 10;
constexpr int64_t kGraceNs = 10'000'000'000;
constexpr int kExecFailed = 127;
constexpr unsigned kLogMode = 0600;

// The process's start in clock ticks since boot; empty for one that ended, a zombie too.
std::string start_ticks(pid_t pid) {
  const auto text = base::read_file("/proc/" + std::to_string(pid) + "/stat", kSmallFileMax);
  const size_t name_end = text ? text->rfind(')') : std::string::npos;
  if (name_end == std::string::npos) return "";
  std::istringstream rest(text->substr(name_end + 1));
  std::string field;
  constexpr int kStateField = 3, kStartField = 22;
  for (int number = kStateField; number <= kStartField; ++number) {
    rest >> field;
    if (number == kStateField && (field == "Z" || field == "X")) return "";
  }
  return field;
}

std::string boot_id() {
  const auto text = base::read_file("/proc/sys/kernel/random/boot_id", kSmallFileMax);
  return text ? text->substr(0, text->find('\n')) : "unknown";
}

std::vector<char*> argument_vector(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  return arguments;
}

// In the child: standard streams replaced, everything else closed at exec. Does not return.
[[noreturn]] void become(const std::vector<char*>& arguments, int out, int error, int report) {
  const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  dup2(null, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(error, STDERR_FILENO);
  close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
  execv(arguments[0], arguments.data());
  const int reason = errno;
  if (report >= 0 && write(report, &reason, sizeof reason) < 0) _exit(kExecFailed);
  _exit(kExecFailed);
}

std::string read_to_end(int fd) {
  std::string text;
  std::array<char, 4096> chunk{};
  while (true) {
    const ssize_t count = read(fd, chunk.data(), chunk.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return text;
    text.append(chunk.data(), static_cast<size_t>(count));
  }
}

void reap(pid_t pid) { waitpid(pid, nullptr, WNOHANG); }

}  // namespace

std::optional<pid_t> running(const Daemon& daemon) {
  const auto text = base::read_file(daemon.pid_path(), kSmallFileMax);
  if (!text) return std::nullopt;
  std::istringstream words(*text);
  pid_t pid = 0;
  std::string ticks;
  std::string boot;
  if (!(words >> pid >> ticks >> boot) || pid <= 0) return std::nullopt;
  if (boot != boot_id() || start_ticks(pid) != ticks) return std::nullopt;
  return pid;
}

Result<pid_t> start(const Daemon& daemon, const std::vector<std::string>& command) {
  const base::UniqueFd log(open(daemon.log_path().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, kLogMode));
  if (!log) return base::fail_errno("log " + daemon.log_path());
  std::array<int, 2> pipe_ends{};
  if (pipe2(pipe_ends.data(), O_CLOEXEC) != 0) return base::fail_errno("pipe");
  const base::UniqueFd report(pipe_ends[0]);
  base::UniqueFd tell(pipe_ends[1]);
  const auto arguments = argument_vector(command);
  const pid_t pid = fork();
  if (pid < 0) return base::fail_errno("fork");
  if (pid == 0) {
    setsid();
    become(arguments, log.get(), log.get(), tell.get());
  }
  tell = base::UniqueFd();
  const std::string reason = read_to_end(report.get());
  if (!reason.empty()) {
    waitpid(pid, nullptr, 0);
    std::memcpy(&errno, reason.data(), std::min(reason.size(), sizeof errno));
    return base::fail_errno("start " + command[0]);
  }
  TRY_STATUS(base::write_file_atomic(
      daemon.pid_path(), std::to_string(pid) + " " + start_ticks(pid) + " " + boot_id() + "\n", base::kPublicFile));
  return pid;
}

Result<Stopped> stop(const Daemon& daemon) {
  const auto pid = running(daemon);
  if (!pid) {
    unlink(daemon.pid_path().c_str());
    return Stopped::was_not_running;
  }
  if (kill(*pid, SIGTERM) != 0 && errno != ESRCH) return base::fail_errno("stop " + daemon.name);
  const int64_t deadline_ns = base::boottime_ns() + kGraceNs;
  while (running(daemon) && base::boottime_ns() < deadline_ns) {
    reap(*pid);
    usleep(20'000);
  }
  Stopped how = Stopped::at_request;
  if (running(daemon)) {
    kill(*pid, SIGKILL);
    how = Stopped::killed;
    while (running(daemon)) usleep(20'000);
  }
  unlink(daemon.pid_path().c_str());
  return how;
}

std::string last_lines(const Daemon& daemon, size_t lines) {
  const base::UniqueFd log(open(daemon.log_path().c_str(), O_RDONLY | O_CLOEXEC));
  if (!log) return "";
  const off_t size = lseek(log.get(), 0, SEEK_END);
  lseek(log.get(), std::max<off_t>(0, size - static_cast<off_t>(kLogTailMax)), SEEK_SET);
  const std::string text = read_to_end(log.get());
  size_t from = text.size();
  for (size_t i = 0; i <= lines && from != std::string::npos && from > 0; ++i) from = text.rfind('\n', from - 1);
  return from == std::string::npos || from == 0 ? text : text.substr(from + 1);
}

Result<std::string> run_to_end(const std::vector<std::string>& command) {
  std::array<int, 2> pipe_ends{};
  if (pipe2(pipe_ends.data(), O_CLOEXEC) != 0) return base::fail_errno("pipe");
  const base::UniqueFd read_out(pipe_ends[0]);
  base::UniqueFd out(pipe_ends[1]);
  // Standard error goes to a file: a pipe of its own could fill while the other is read.
  const base::TempDir scratch;
  const base::UniqueFd error(open((scratch / "stderr").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kLogMode));
  if (!error) return base::fail_errno("scratch file");
  const auto arguments = argument_vector(command);
  const pid_t pid = fork();
  if (pid < 0) return base::fail_errno("fork");
  if (pid == 0) become(arguments, out.get(), error.get(), -1);
  out = base::UniqueFd();
  std::string text = read_to_end(read_out.get());
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return text;
  lseek(error.get(), 0, SEEK_SET);
  std::string why = read_to_end(error.get());
  while (why.ends_with('\n')) why.pop_back();
  if (WIFEXITED(status) && WEXITSTATUS(status) == kExecFailed && why.empty()) why = "cannot be executed";
  return fail(Errc::internal, command[0] + ": " + (why.empty() ? "failed" : why));
}

}  // namespace redoubt::cli
