#include "sensor/probe.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "base/file.h"

namespace redoubt::sensor {

namespace {

constexpr int kKernelMajorLeast = 5;
constexpr int kKernelMinorLeast = 8;

struct HookRow {
  const char* name;
  const char* target;  // its name in the kernel's BTF
  bpf_prog_type type;
  bpf_attach_type attach;
  Tier tier;
  const char* gives;
};

constexpr std::array kHooks = {
    HookRow{"tp_btf/sched_process_exec", "btf_trace_sched_process_exec", BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP,
            Tier::tracepoint, "process starts"},
    HookRow{"tp_btf/sched_process_fork", "btf_trace_sched_process_fork", BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP,
            Tier::tracepoint, "the process table"},
    HookRow{"tp_btf/sched_process_exit", "btf_trace_sched_process_exit", BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP,
            Tier::tracepoint, "process ends"},
    HookRow{"tp_btf/sys_exit", "btf_trace_sys_exit", BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, Tier::tracepoint,
            "files, accepted connections, privileges, tracing, mounts, modules, BPF programs"},
    HookRow{"tp_btf/signal_generate", "btf_trace_signal_generate", BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP,
            Tier::tracepoint, "signals to the agent"},
    HookRow{"tp_btf/inet_sock_set_state", "btf_trace_inet_sock_set_state", BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP,
            Tier::tracepoint, "opened connections"},
    HookRow{"tp_btf/cgroup_mkdir", "btf_trace_cgroup_mkdir", BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, Tier::tracepoint,
            "containers that start and end"},
    HookRow{"tp_btf/cgroup_attach_task", "btf_trace_cgroup_attach_task", BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP,
            Tier::tracepoint, "the container of a process"},
    HookRow{"iter/task", "bpf_iter_task", BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, Tier::tracepoint,
            "processes that ran before the sensor"},
    HookRow{"lsm/file_open", "bpf_lsm_file_open", BPF_PROG_TYPE_LSM, BPF_LSM_MAC, Tier::lsm,
            "files whatever the way in"},
    HookRow{"lsm/path_rename", "bpf_lsm_path_rename", BPF_PROG_TYPE_LSM, BPF_LSM_MAC, Tier::lsm,
            "resolved paths of renames"},
    HookRow{"fentry/tcp_connect", "tcp_connect", BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, Tier::lsm,
            "connections with their result"},
};

constexpr std::array kLostWithTracepoints = {
    "opens, renames and deletions through io_uring are not seen",
    "paths of renames and deletions are as the caller gave them: symbolic links in them are not resolved",
    "a rename of a directory looks like one of a file",
    "nothing can be denied at the hook",
};

Status check_kernel_version(const std::string& release) {
  int major = 0;
  int minor = 0;
  if (sscanf(release.c_str(), "%d.%d", &major, &minor) != 2) {
    return fail(Errc::unsupported, "kernel release '" + release + "' cannot be read");
  }
  if (major < kKernelMajorLeast || (major == kKernelMajorLeast && minor < kKernelMinorLeast)) {
    return fail(Errc::unsupported, "kernel " + release + " is too old: the sensor needs 5.8 or later");
  }
  return {};
}

struct BtfDelete {
  void operator()(btf* types) const { btf__free(types); }
};

// Loads and attaches a program that does nothing; 0 or the error.
int try_hook(const HookRow& row, const btf* kernel) {
  const __u32 kind = row.attach == BPF_TRACE_RAW_TP ? BTF_KIND_TYPEDEF : BTF_KIND_FUNC;
  const int btf_id = btf__find_by_name_kind(kernel, row.target, kind);
  if (btf_id < 0) return -btf_id;
  const std::array<bpf_insn, 2> nothing = {
      bpf_insn{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .src_reg = 0, .off = 0, .imm = 0},
      bpf_insn{.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}};
  LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = row.attach,
              .attach_btf_id = static_cast<__u32>(btf_id));
  const base::UniqueFd program(bpf_prog_load(row.type, "rd_probe", "GPL", nothing.data(), nothing.size(), &options));
  if (!program) return errno;
  if (row.attach == BPF_TRACE_ITER) return 0;
  const base::UniqueFd link(bpf_raw_tracepoint_open(nullptr, program.get()));
  return link ? 0 : errno;
}

bool ring_buffers_load() {
  const base::UniqueFd ring(bpf_map_create(BPF_MAP_TYPE_RINGBUF, "rd_probe", 0, 0, 4096, nullptr));
  return static_cast<bool>(ring);
}

bool may_use_bpf() {
  const base::UniqueFd map(bpf_map_create(BPF_MAP_TYPE_HASH, "rd_probe", 4, 4, 1, nullptr));
  return static_cast<bool>(map) || (errno != EPERM && errno != EACCES);
}

}  // namespace

Result<Probe> probe_host() {
  utsname name{};
  uname(&name);
  Probe probe{.tier = Tier::tracepoint, .kernel = name.release};
  TRY_STATUS(check_kernel_version(probe.kernel));
  if (!may_use_bpf()) {
    return fail(Errc::permission_denied,
                "BPF is not allowed: run as root or with CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE");
  }
  if (access("/sys/kernel/btf/vmlinux", R_OK) != 0) {
    return fail(Errc::unsupported,
                "this kernel has no BTF (/sys/kernel/btf/vmlinux): it was built without CONFIG_DEBUG_INFO_BTF");
  }
  if (!ring_buffers_load()) return fail(Errc::unsupported, "this kernel has no BPF ring buffers");
  const libbpf_print_fn_t before = libbpf_set_print(nullptr);
  const std::unique_ptr<btf, BtfDelete> kernel(btf__load_vmlinux_btf());
  if (!kernel) return base::fail_errno("read the kernel's BTF");
  std::string missing;
  for (const HookRow& row : kHooks) {
    const int error = try_hook(row, kernel.get());
    probe.hooks.push_back({.name = row.name,
                           .state = error == 0 ? HookState::loads : HookState::refused,
                           .detail = error == 0 ? "" : strerror(error),
                           .gives = row.gives});
    if (error != 0 && row.tier == Tier::tracepoint) missing += (missing.empty() ? "" : ", ") + std::string(row.name);
  }
  libbpf_set_print(before);
  if (!missing.empty()) return fail(Errc::unsupported, "this kernel refuses hooks that the sensor needs: " + missing);
  probe.lost.assign(kLostWithTracepoints.begin(), kLostWithTracepoints.end());
  return probe;
}

std::string probe_report() {
  const Result<Probe> probe = probe_host();
  if (!probe) return "the sensor cannot run here: " + probe.error().message + "\n";
  std::string report = "kernel: " + probe->kernel + "\ntier: " + std::string(name_of(probe->tier)) + "\nhooks:\n";
  for (const HookProbe& hook : probe->hooks) {
    report += "  " + hook.name + ": " + (hook.state == HookState::loads ? "loads" : "refused (" + hook.detail + ")") +
              ", for " + hook.gives + "\n";
  }
  report += "not to be had in this tier:\n";
  for (const std::string& lost : probe->lost) report += "  " + lost + "\n";
  return report;
}

}  // namespace redoubt::sensor
