#include "scan/worker_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <iterator>
#include <utility>

#include "base/time.h"
#include "scan/spawn.h"

namespace redoubt::scan {

namespace {

// Large rule sets take seconds to compile.
constexpr int64_t kStartMsMax = 60'000;
constexpr int64_t kNsPerMs = 1'000'000;

std::string describe_end(int status) {
  if (WIFEXITED(status)) return "worker ended with status " + std::to_string(WEXITSTATUS(status));
  const int signal = WTERMSIG(status);
  const char* why = signal == SIGSYS ? "it tried a forbidden system call" : strsignal(signal);
  return "worker ended by signal " + std::to_string(signal) + " (" + why + ")";
}

template <class T>
Status append_up_to(size_t count_max, std::vector<T>& from, std::vector<T>& to) {
  if (from.size() > count_max - to.size()) return fail(Errc::corrupt, "a worker sends more than it may");
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
  return {};
}

Status append(wire::Page& page, wire::Page& whole) {
  TRY_STATUS(append_up_to(wire::kObjectsMax, page.objects, whole.objects));
  TRY_STATUS(append_up_to(wire::kNotScannedMax, page.not_scanned, whole.not_scanned));
  return append_up_to(wire::kLinksMax, page.links, whole.links);
}

}  // namespace

Result<std::unique_ptr<WorkerProcess>> WorkerProcess::start(const WorkerOptions& options,
                                                            const base::UniqueFd& bundle) {
  std::array<int, 2> pair{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0) return base::fail_errno("socket pair");
  base::UniqueFd ours(pair[0]);
  base::UniqueFd theirs(pair[1]);
  TRY(const pid_t pid,
      spawn_bare({.program = options.program, .socket = theirs.get(), .socket_as = wire::kWorkerSocket}));
  std::unique_ptr<WorkerProcess> worker(new WorkerProcess(pid, std::move(ours)));
  theirs = base::UniqueFd();

  const int64_t deadline_ns = base::boottime_ns() + kStartMsMax * kNsPerMs;
  Status sent = wire::send_packet(worker->socket_.get(), wire::encode(options.setup), bundle.get());
  if (!sent) return fail(Errc::unavailable, options.program + ": " + worker->end());
  TRY_STATUS(base::within("start " + options.program, worker->hear_greeting(deadline_ns)));
  if (!worker->hello_.error.empty()) return fail(Errc::invalid_argument, worker->hello_.error);
  return worker;
}

WorkerProcess::~WorkerProcess() { end(); }

// The rules that are in force, and at the end the hello.
Status WorkerProcess::hear_greeting(int64_t deadline_ns) {
  while (true) {
    TRY(const wire::Packet packet, receive_until(deadline_ns));
    TRY(auto greeting, wire::decode_greeting(packet.bytes));
    if (auto* hello = std::get_if<wire::Hello>(&greeting)) {
      hello_ = std::move(*hello);
      return {};
    }
    auto& named = std::get<wire::Catalogue>(greeting).rules;
    if (rules_.size() + named.size() > wire::kLoadedRulesMax) return fail(Errc::corrupt, "worker names too many rules");
    rules_.insert(rules_.end(), std::make_move_iterator(named.begin()), std::make_move_iterator(named.end()));
  }
}

Result<wire::Report> WorkerProcess::scan(const base::UniqueFd& content, const wire::Request& request, int64_t time_ms,
                                         PartHandler& parts) {
  const int64_t deadline_ns = base::boottime_ns() + time_ms * kNsPerMs;
  Status sent = wire::send_packet(socket_.get(), wire::encode(request), content.get());
  if (!sent) return fail(Errc::unavailable, end());
  auto answer = receive_answer(deadline_ns, parts);
  if (!answer) end();
  return answer;
}

Result<wire::Report> WorkerProcess::receive_answer(int64_t deadline_ns, PartHandler& parts) {
  wire::Page page;
  for (size_t packets = 0; packets < wire::kPagesMax + wire::kPartsMax + 1; ++packets) {
    TRY(wire::Packet packet, receive_until(deadline_ns));
    TRY(wire::Answer part, wire::decode_answer(packet.bytes));
    if (auto* report = std::get_if<wire::Report>(&part)) {
      TRY_STATUS(append(report->page, page));
      report->page = std::move(page);
      return std::move(*report);
    }
    if (auto* before = std::get_if<wire::Page>(&part)) TRY_STATUS(append(*before, page));
    if (auto* object = std::get_if<wire::Part>(&part)) {
      parts.handle(std::move(*object), std::move(packet.descriptor), deadline_ns);
    }
  }
  return fail(Errc::corrupt, "a worker sends without end");
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
