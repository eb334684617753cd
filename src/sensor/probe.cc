#include "sensor/probe.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "base/file.h"
#include "sensor/hook_table.h"

namespace redoubt::sensor {

namespace {

constexpr int kKernelMajorLeast = 5;
constexpr int kKernelMinorLeast = 8;

constexpr std::array kLostWithTracepoints = {
    "opens and changes of names through io_uring are not seen",
    "paths of calls without a descriptor (renames, deletions, permissions by path) are looked up right after the call",
    "a rename of a directory looks like one of a file",
};
constexpr std::string_view kFunctionToAttach = "fentry/security_path_unlink";
constexpr const char* kLostAlways = "nothing can be denied at the hook";

// How the sections of programs are called, what the kernel's BTF then calls the target, and how to load for it.
struct SectionRow {
  std::string_view prefix;
  std::string_view target_prefix;
  __u32 target_kind;
  bpf_attach_type attach;
};

constexpr std::array kSections = {
    SectionRow{"tp_btf/", "btf_trace_", BTF_KIND_TYPEDEF, BPF_TRACE_RAW_TP},
    SectionRow{"iter/", "bpf_iter_", BTF_KIND_FUNC, BPF_TRACE_ITER},
    SectionRow{"fentry/", "", BTF_KIND_FUNC, BPF_TRACE_FENTRY},
    SectionRow{"fexit/", "", BTF_KIND_FUNC, BPF_TRACE_FEXIT},
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

// Programs at functions are attached one for all: each takes the kernel a tenth of a second to detach.
bool is_loaded_only(std::string_view name, bpf_attach_type attach) {
  return attach == BPF_TRACE_ITER || (attach == BPF_TRACE_FENTRY && name != kFunctionToAttach) ||
         attach == BPF_TRACE_FEXIT;
}

// Loads and attaches a program that does nothing; 0 or the error, ENOENT where the kernel has no such hook.
int try_hook(std::string_view name, const btf* kernel) {
  const auto* const section = std::find_if(kSections.begin(), kSections.end(),
                                           [&](const SectionRow& row) { return name.starts_with(row.prefix); });
  CHECK(section != kSections.end());
  const std::string target = std::string(section->target_prefix) + std::string(name.substr(section->prefix.size()));
  const int btf_id = btf__find_by_name_kind(kernel, target.c_str(), section->target_kind);
  if (btf_id < 0) return -btf_id;
  const std::array<bpf_insn, 2> nothing = {
      bpf_insn{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .src_reg = 0, .off = 0, .imm = 0},
      bpf_insn{.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}};
  LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = section->attach,
              .attach_btf_id = static_cast<__u32>(btf_id));
  const base::UniqueFd program(
      bpf_prog_load(BPF_PROG_TYPE_TRACING, "rd_probe", "GPL", nothing.data(), nothing.size(), &options));
  if (!program) return errno;
  if (is_loaded_only(name, section->attach)) return 0;
  const base::UniqueFd link(bpf_raw_tracepoint_open(nullptr, program.get()));
  return link ? 0 : errno;
}

HookProbe probe_hook(const HookRow& row, const btf* kernel) {
  const int error = try_hook(row.name, kernel);
  HookProbe hook{.name = std::string(row.name), .detail = "", .gives = std::string(row.gives)};
  if (error == ENOENT) hook.state = HookState::absent;
  if (error != 0 && error != ENOENT) {
    hook.state = HookState::refused;
    hook.detail = strerror(error);
  }
  return hook;
}

bool ring_buffers_load() {
  const base::UniqueFd ring(bpf_map_create(BPF_MAP_TYPE_RINGBUF, "rd_probe", 0, 0, 4096, nullptr));
  return static_cast<bool>(ring);
}

bool may_use_bpf() {
  const base::UniqueFd map(bpf_map_create(BPF_MAP_TYPE_HASH, "rd_probe", 4, 4, 1, nullptr));
  return static_cast<bool>(map) || (errno != EPERM && errno != EACCES);
}

// Refuses what no tier can do without.
Status check_host(const Host& host) {
  TRY_STATUS(check_kernel_version(host.release));
  if (access(host.btf_path.c_str(), R_OK) != 0) {
    return fail(Errc::unsupported,
                "this kernel has no BTF (" + host.btf_path + "): it was built without CONFIG_DEBUG_INFO_BTF");
  }
  if (!may_use_bpf()) {
    return fail(Errc::permission_denied,
                "BPF is not allowed: run as root or with CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE");
  }
  if (!ring_buffers_load()) return fail(Errc::unsupported, "this kernel has no BPF ring buffers");
  return {};
}

HookProbe probe_sockets() {
  HookProbe hook{.name = "cgroup_skb", .detail = "", .gives = "datagrams and name look-ups"};
  if (socket_programs_load()) return hook;
  hook.state = HookState::refused;
  hook.detail = "no current task there";
  return hook;
}

// What programs at functions are made of, beside their hooks: Linux 5.17.
bool function_programs_load() { return libbpf_probe_bpf_helper(BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_FUNC_loop, nullptr) == 1; }

std::string state_text(const HookProbe& hook) {
  switch (hook.state) {
    case HookState::loads: return "loads";
    case HookState::refused: return "refused (" + hook.detail + ")";
    case HookState::absent: return "not in this kernel";
  }
  return "";
}

}  // namespace

Host this_host() {
  utsname name{};
  uname(&name);
  return {.release = name.release};
}

bool Probe::loads(std::string_view hook) const {
  return std::any_of(hooks.begin(), hooks.end(),
                     [&](const HookProbe& probed) { return probed.name == hook && probed.state == HookState::loads; });
}

bool socket_programs_load() {
  return libbpf_probe_bpf_helper(BPF_PROG_TYPE_CGROUP_SKB, BPF_FUNC_get_current_task, nullptr) == 1;
}

Result<Probe> probe_host(const Host& host) {
  TRY_STATUS(check_host(host));
  Probe probe{.tier = Tier::lsm, .kernel = host.release, .hooks = {}};
  const libbpf_print_fn_t before = libbpf_set_print(nullptr);
  const std::unique_ptr<btf, BtfDelete> kernel(btf__parse(host.btf_path.c_str(), nullptr));
  std::string missing;
  for (const HookRow& row : kHooks) {
    if (!kernel) break;
    probe.hooks.push_back(probe_hook(row, kernel.get()));
    if (probe.hooks.back().state == HookState::loads) continue;
    if (row.need == Need::sensor) missing += (missing.empty() ? "" : ", ") + std::string(row.name);
    if (row.need == Need::lsm_tier) probe.tier = Tier::tracepoint;
  }
  if (!function_programs_load()) probe.tier = Tier::tracepoint;
  probe.hooks.push_back(probe_sockets());
  libbpf_set_print(before);
  if (!kernel) return base::fail_errno("read the kernel's BTF");
  if (!missing.empty()) return fail(Errc::unsupported, "this kernel refuses hooks that the sensor needs: " + missing);
  return probe;
}

std::vector<std::string> lost_in(Tier tier, const Probe& probe) {
  std::vector<std::string> lost;
  if (tier == Tier::tracepoint) lost.assign(kLostWithTracepoints.begin(), kLostWithTracepoints.end());
  for (const HookRow& row : kHooks) {
    if (tier != Tier::lsm || (row.need != Need::lsm_more && row.need != Need::lsm_late) || probe.loads(row.name)) {
      continue;
    }
    const bool is_absent = std::any_of(probe.hooks.begin(), probe.hooks.end(), [&](const HookProbe& hook) {
      return hook.name == row.name && hook.state == HookState::absent;
    });
    if (row.need == Need::lsm_more || !is_absent) lost.push_back(std::string(row.gives) + " are not seen");
  }
  lost.emplace_back(kLostAlways);
  return lost;
}

std::string probe_report(const Host& host) {
  const Result<Probe> probe = probe_host(host);
  if (!probe) return "the sensor cannot run here: " + probe.error().message + "\n";
  std::string report = "kernel: " + probe->kernel + "\ntier: " + std::string(name_of(probe->tier)) + "\nhooks:\n";
  for (const HookProbe& hook : probe->hooks) {
    report += "  " + hook.name + ": " + state_text(hook) + ", for " + hook.gives + "\n";
  }
  report += "not to be had in this tier:\n";
  for (const std::string& lost : lost_in(probe->tier, *probe)) report += "  " + lost + "\n";
  return report;
}

}  // namespace redoubt::sensor
