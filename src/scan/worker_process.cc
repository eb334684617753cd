#include "scan/worker_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>

#include "base/time.h"

namespace redoubt::scan {

namespace {

// Large rule sets take seconds to compile.
constexpr int64_t kStartMsMax = 60'000;
constexpr int64_t kNsPerMs = 1'000'000;

// Nothing of the node's environment and none of its descriptors but the socket and the log.
Result<pid_t> spawn_worker(const std::string& program, int socket) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, socket, wire::kWorkerSocket);
  posix_spawn_file_actions_addclosefrom_np(&actions, wire::kWorkerSocket + 1);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

  std::string name = program;
  std::array<char*, 2> arguments = {name.data(), nullptr};
  std::array<char*, 1> environment = {nullptr};
  pid_t pid = -1;
  const int failed = posix_spawn(&pid, program.c_str(), &actions, &attributes, arguments.data(), environment.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (failed == 0) return pid;
  errno = failed;
  return base::fail_errno("start scan worker " + program);
}

std::string describe_end(int status) {
  if (WIFEXITED(status)) return "worker ended with status " + std::to_string(WEXITSTATUS(status));
  const int signal = WTERMSIG(status);
  const char* why = signal == SIGSYS ? "it tried a forbidden system call" : strsignal(signal);
  return "worker ended by signal " + std::to_string(signal) + " (" + why + ")";
}

}  // namespace

Result<std::unique_ptr<WorkerProcess>> WorkerProcess::start(const WorkerOptions& options,
                                                            const base::UniqueFd& bundle) {
  std::array<int, 2> pair{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0) return base::fail_errno("socket pair");
  base::UniqueFd ours(pair[0]);
  base::UniqueFd theirs(pair[1]);
  TRY(const pid_t pid, spawn_worker(options.program, theirs.get()));
  std::unique_ptr<WorkerProcess> worker(new WorkerProcess(pid, std::move(ours)));
  theirs = base::UniqueFd();

  const int64_t deadline_ns = base::boottime_ns() + kStartMsMax * kNsPerMs;
  Status sent = wire::send_packet(worker->socket_.get(), wire::encode(options.setup), bundle.get());
  if (!sent) return fail(Errc::unavailable, options.program + ": " + worker->end());
  auto packet = worker->receive_until(deadline_ns);
  if (!packet) return tl::unexpected(std::move(packet).error().within("start " + options.program));
  TRY(worker->hello_, wire::decode_hello(packet->bytes));
  if (!worker->hello_.error.empty()) return fail(Errc::invalid_argument, worker->hello_.error);
  return worker;
}

WorkerProcess::~WorkerProcess() { end(); }

Result<wire::Report> WorkerProcess::scan(const base::UniqueFd& content, const std::string& name, int64_t time_ms) {
  const int64_t deadline_ns = base::boottime_ns() + time_ms * kNsPerMs;
  Status sent = wire::send_packet(socket_.get(), wire::encode(wire::Request{name}), content.get());
  if (!sent) return fail(Errc::unavailable, end());
  TRY(const wire::Packet packet, receive_until(deadline_ns));
  auto report = wire::decode_report(packet.bytes);
  if (!report) end();
  return report;
}

Result<wire::Packet> WorkerProcess::receive_until(int64_t deadline_ns) {
  while (true) {
    const int64_t left_ms = std::max<int64_t>(0, (deadline_ns - base::boottime_ns()) / kNsPerMs);
    pollfd wait{socket_.get(), POLLIN, 0};
    const int ready = poll(&wait, 1, static_cast<int>(std::min<int64_t>(left_ms, kStartMsMax)));
    if (ready < 0 && errno != EINTR) return base::fail_errno("wait for the worker");
    if (ready > 0) break;
    if (base::boottime_ns() < deadline_ns) continue;
    end();
    return fail(Errc::timeout, "time is up");
  }
  auto packet = wire::receive_packet(socket_.get());
  if (!packet) return fail(Errc::unavailable, end());
  return packet;
}

// Kills the process unless it ended by itself, and reaps it.
std::string WorkerProcess::end() {
  if (pid_ < 0) return "worker is gone";
  // Its end of the pair closes a moment before its exit status is there: a kill now would hide what ended it.
  constexpr int kGraceMs = 200;
  pollfd closed{socket_.get(), 0, 0};
  int status = 0;
  pid_t reaped = 0;
  const bool hung_up = poll(&closed, 1, 0) > 0;
  for (int waited = 0; hung_up && waited < kGraceMs && reaped == 0; ++waited) {
    reaped = waitpid(pid_, &status, WNOHANG);
    if (reaped == 0) usleep(1000);
  }
  if (reaped == 0) {
    kill(pid_, SIGKILL);
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) continue;
  }
  pid_ = -1;
  return describe_end(status);
}

}  // namespace redoubt::scan
