// The loops that bench/sensor.py measures with and without the agent: sensor_loops LOOP COUNT [PATH] prints nanoseconds
// of this process's own CPU time for one round. What a sensor of this kind costs at least: `idle SECONDS` keeps a BPF
// program that does nothing attached to the end of every system call, `tax SECONDS` to the entry of one that nobody
// makes, so that none runs and all calls take the kernel's slower way. `tracepoint SECONDS` and `lsm SECONDS` are the
// sensor itself, without agent and node.
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>

#include "redoubt/event.pb.h"
#include "sensor/sensor.h"

namespace {

double now_ns(clockid_t clock) {
  timespec spec{};
  clock_gettime(clock, &spec);
  return static_cast<double>(spec.tv_sec) * 1e9 + static_cast<double>(spec.tv_nsec);
}

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::exit(1);
}

void call_getppid(const char*) { syscall(SYS_getppid); }

void open_for_reading(const char* path) {
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) give_up(path);
  close(file);
}

void open_for_writing(const char* path) {
  const int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) give_up(path);
  close(file);
}

void start_program(const char* path) {
  std::array<char, 5> name{"true"};
  std::array<char*, 2> arguments{name.data(), nullptr};
  pid_t child = 0;
  if (posix_spawn(&child, path, nullptr, nullptr, arguments.data(), environ) != 0) give_up(path);
  int status = 0;
  waitpid(child, &status, 0);
}

struct Loop {
  std::string_view name;
  void (*round)(const char* path);
  clockid_t clock;  // programs are counted by the clock on the wall: what they cost is theirs and their parents'
};
constexpr Loop kLoops[] = {
    {"getppid", call_getppid, CLOCK_PROCESS_CPUTIME_ID},
    {"read", open_for_reading, CLOCK_PROCESS_CPUTIME_ID},
    {"write", open_for_writing, CLOCK_PROCESS_CPUTIME_ID},
    {"exec", start_program, CLOCK_MONOTONIC},
};

constexpr std::array<bpf_insn, 2> kNothing = {
    bpf_insn{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .src_reg = 0, .off = 0, .imm = 0},
    bpf_insn{.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}};

void attach_to_every_call() {
  btf* const kernel = btf__load_vmlinux_btf();
  if (kernel == nullptr) give_up("the kernel's BTF");
  const int id = btf__find_by_name_kind(kernel, "btf_trace_sys_exit", BTF_KIND_TYPEDEF);
  LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_RAW_TP,
              .attach_btf_id = static_cast<__u32>(id));
  const int program =
      bpf_prog_load(BPF_PROG_TYPE_TRACING, "rd_idle", "GPL", kNothing.data(), kNothing.size(), &options);
  if (program < 0 || bpf_raw_tracepoint_open(nullptr, program) < 0) give_up("attach a program that does nothing");
}

// The number of the tracepoint at the entry of a call that nobody makes.
long number_of_another_call() {
  std::array<char, 32> directory{"/tmp/redoubt-tracefs-XXXXXX"};
  if (mkdtemp(directory.data()) == nullptr || mount("tracefs", directory.data(), "tracefs", 0, nullptr) != 0) {
    give_up("mount tracefs");
  }
  long number = 0;
  std::ifstream(std::string(directory.data()) + "/events/syscalls/sys_enter_swapoff/id") >> number;
  umount2(directory.data(), MNT_DETACH);
  rmdir(directory.data());
  return number;
}

void attach_to_another_call() {
  perf_event_attr event{};
  event.size = sizeof event;
  event.type = PERF_TYPE_TRACEPOINT;
  event.config = static_cast<__u64>(number_of_another_call());
  const long tracepoint = syscall(SYS_perf_event_open, &event, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
  const int program =
      bpf_prog_load(BPF_PROG_TYPE_TRACEPOINT, "rd_tax", "GPL", kNothing.data(), kNothing.size(), nullptr);
  if (tracepoint < 0 || program < 0 || ioctl(static_cast<int>(tracepoint), PERF_EVENT_IOC_SET_BPF, program) != 0 ||
      ioctl(static_cast<int>(tracepoint), PERF_EVENT_IOC_ENABLE, 0) != 0) {
    give_up("attach to the tracepoint of another call");
  }
}

using redoubt::sensor::Sensor;
using redoubt::sensor::Tier;

class Nobody : public redoubt::sensor::EventSink {
  void take(redoubt::v1::Event&&) override {}
};

void watch_in(Tier tier) {
  static Nobody nobody;
  static std::unique_ptr<Sensor> sensor;
  auto started = Sensor::start({.host_id = "host", .boot_id = "boot", .tier = tier}, nobody);
  if (!started) {
    std::fprintf(stderr, "%s\n", started.error().message.c_str());
    std::exit(1);
  }
  sensor = *std::move(started);
}

struct Floor {
  std::string_view name;
  void (*attach)();
};
constexpr Floor kFloors[] = {{"idle", attach_to_every_call},
                             {"tax", attach_to_another_call},
                             {"tracepoint", [] { watch_in(Tier::tracepoint); }},
                             {"lsm", [] { watch_in(Tier::lsm); }}};

void stay_attached(const Floor& floor, int seconds) {
  floor.attach();
  std::puts("attached");
  std::fflush(stdout);
  sleep(static_cast<unsigned>(seconds));
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view name = argc > 2 ? argv[1] : "";
  const int count = argc > 2 ? std::atoi(argv[2]) : 0;
  for (const Floor& floor : kFloors) {
    if (floor.name != name || count <= 0) continue;
    stay_attached(floor, count);
    return 0;
  }
  const char* const path = argc > 3 ? argv[3] : "/bin/true";
  for (const Loop& loop : kLoops) {
    if (loop.name != name || count <= 0) continue;
    for (int i = 0; i < count / 10; ++i) loop.round(path);
    const double begin = now_ns(loop.clock);
    for (int i = 0; i < count; ++i) loop.round(path);
    std::printf("%.2f\n", (now_ns(loop.clock) - begin) / count);
    return 0;
  }
  std::fputs("usage: sensor_loops getppid|read|write|exec COUNT [PATH], or idle|tax|tracepoint|lsm SECONDS\n", stderr);
  return 2;
}
