#include "sensor/probe.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <unordered_set>
#include <utility>

#include "base/file.h"
#include "sensor/hook_table.h"
#include "sensor/preemption.h"
#include "sensor/program_choice.h"
#include "sensor/syscall/syscall_table.h"

namespace redoubt::sensor {

namespace {

constexpr int kKernelMajorLeast = 5;
constexpr int kKernelMinorLeast = 8;

constexpr std::array kLostWithTracepoints = {
    "opens and changes of names and lengths through io_uring are not seen",
    "of sockets, what is done through io_uring is not seen but for connections that are opened and datagrams",
    "paths of calls without a descriptor (renames, deletions, permissions by path) are looked up right after the call",
    "a rename of a directory looks like one of a file",
    "mount points and what is mounted are read from the caller after the call",
    "whose memory is written into is looked up by its number, which another pid namespace does not know",
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

// What reading in place takes: the function that names a type, and the types.
const std::array<std::pair<uint32_t, std::string>, 3> kInPlace = {
    std::pair(uint32_t{BTF_KIND_FUNC}, "bpf_rdonly_cast"),
    std::pair(uint32_t{BTF_KIND_STRUCT}, "file"),
    std::pair(uint32_t{BTF_KIND_STRUCT}, "list_head"),
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

// The kernel's types that hooks of the table are known by: by kind and name.
using Targets = std::map<std::pair<uint32_t, std::string>, int>;

const SectionRow& section_of(std::string_view hook) {
  const auto* const section = std::find_if(kSections.begin(), kSections.end(),
                                           [&](const SectionRow& row) { return hook.starts_with(row.prefix); });
  CHECK(section != kSections.end());
  return *section;
}

std::pair<uint32_t, std::string> target_of(std::string_view hook) {
  const SectionRow& section = section_of(hook);
  return {section.target_kind, std::string(section.target_prefix) + std::string(hook.substr(section.prefix.size()))};
}

// Goes through the types once: there are far more of them than hooks.
Targets find_targets(const btf* kernel) {
  std::unordered_set<std::string_view> wanted;
  Targets targets;
  std::vector<std::pair<uint32_t, std::string>> names;
  for (const HookRow& row : kHooks) names.push_back(target_of(row.name));
  for (const SyscallHandler& handler : kSyscallHandlers) {
    if (has_function(handler)) names.emplace_back(BTF_KIND_FUNC, function_of(handler));
  }
  for (const std::string_view name : {kCompatFunction, kCompatCall}) names.emplace_back(BTF_KIND_FUNC, name);
  names.insert(names.end(), kInPlace.begin(), kInPlace.end());
  for (const auto& [kind, name] : names) wanted.insert(name);
  for (uint32_t id = 1; id < btf__type_cnt(kernel); ++id) {
    const btf_type* type = btf__type_by_id(kernel, id);
    const uint32_t kind = btf_kind(type);
    if (kind != BTF_KIND_FUNC && kind != BTF_KIND_TYPEDEF && kind != BTF_KIND_STRUCT) continue;
    const char* name = btf__name_by_offset(kernel, type->name_off);
    if (wanted.contains(name)) targets.emplace(std::pair(kind, std::string(name)), static_cast<int>(id));
  }
  return targets;
}

TypesInPlace types_in_place(const Targets& targets) {
  for (const auto& target : kInPlace) {
    if (!targets.contains(target)) return {};
  }
  const auto number = [&](size_t row) { return static_cast<uint32_t>(targets.at(kInPlace[row])); };
  return {.file = number(1), .list_head = number(2)};
}

// Whether it is known that the kernel is too old for the call. Only one of the table is young, and it can be asked.
bool is_missing(const SyscallHandler& handler) {
  return handler.native == kFchmodat2 && syscall(kFchmodat2, -1, nullptr, 0, ~0U) != 0 && errno == ENOSYS;
}

CallFunctions find_call_functions(const Targets& targets, const Host& host) {
  CallFunctions calls{.native = {}, .why_not = why_preemptible(host.version, preemption_mode())};
  const auto find = [&](std::string_view name) { return targets.find({BTF_KIND_FUNC, std::string(name)}); };
  calls.has_compat = find(kCompatCall) != targets.end();
  std::string absent = calls.has_compat && find(kCompatFunction) == targets.end() ? std::string(kCompatFunction) : "";
  for (const SyscallHandler& handler : kSyscallHandlers) {
    if (!has_function(handler)) continue;
    const auto found = find(function_of(handler));
    if (found != targets.end()) {
      calls.native[handler.native] = static_cast<uint32_t>(found->second);
    } else if (absent.empty() && !is_missing(handler)) {
      absent = function_of(handler);
    }
  }
  if (calls.why_not.empty() && !absent.empty()) calls.why_not = absent + " is not in this kernel";
  return calls;
}

// Programs at functions are attached one for all: each takes the kernel a tenth of a second to detach.
bool is_loaded_only(std::string_view hook) {
  const bpf_attach_type attach = section_of(hook).attach;
  return attach != BPF_TRACE_RAW_TP && hook != kFunctionToAttach;
}

// Loads and attaches a program that does nothing; 0 or the error.
int try_hook(std::string_view hook, int btf_id) {
  const std::array<bpf_insn, 2> nothing = {
      bpf_insn{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .src_reg = 0, .off = 0, .imm = 0},
      bpf_insn{.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}};
  LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = section_of(hook).attach,
              .attach_btf_id = static_cast<__u32>(btf_id));
  const base::UniqueFd program(
      bpf_prog_load(BPF_PROG_TYPE_TRACING, "rd_probe", "GPL", nothing.data(), nothing.size(), &options));
  if (!program) return errno;
  if (is_loaded_only(hook)) return 0;
  const base::UniqueFd link(bpf_raw_tracepoint_open(nullptr, program.get()));
  return link ? 0 : errno;
}

HookProbe probe_hook(const HookRow& row, const Targets& targets, ProbeDepth depth) {
  HookProbe hook{.name = std::string(row.name), .detail = "", .gives = std::string(row.gives)};
  const auto target = targets.find(target_of(row.name));
  if (target == targets.end()) {
    hook.state = HookState::absent;
    return hook;
  }
  const bool is_tried = depth == ProbeDepth::every_hook || row.need == Need::sensor || row.need == Need::more ||
                        row.name == kFunctionToAttach;
  if (const int error = is_tried ? try_hook(row.name, target->second) : 0; error != 0) {
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
bool function_programs_load() {
  return libbpf_probe_bpf_helper(BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_FUNC_loop, nullptr) == 1;
}

std::string state_text(const HookProbe& hook) {
  switch (hook.state) {
    case HookState::loads: return "loads";
    case HookState::refused: return "refused (" + hook.detail + ")";
    case HookState::absent: return "not in this kernel";
  }
  return "";
}

std::string where_calls_are_told(Tier tier, const Probe& probe) {
  if (has_calls_at_functions(tier, probe)) return "at their functions; others cost nothing";
  return "at the tracepoint of all" + (tier == Tier::lsm ? ", because " + probe.calls.why_not : std::string());
}

}  // namespace

Host this_host() {
  utsname name{};
  uname(&name);
  return {.release = name.release, .version = name.version};
}

bool Probe::loads(std::string_view hook) const {
  return std::any_of(hooks.begin(), hooks.end(),
                     [&](const HookProbe& probed) { return probed.name == hook && probed.state == HookState::loads; });
}

void Probe::refuse_lsm(std::string why) {
  tier = Tier::tracepoint;
  refused = std::move(why);
}

std::string Probe::why_not_lsm() const {
  if (!refused.empty()) return refused;
  if (tier == Tier::lsm) return {};
  if (!has_loops) return "this kernel has no bpf_loop(), which Linux 5.17 brought";
  std::string first;
  size_t others = 0;
  for (const HookRow& row : kHooks) {
    if (row.need != Need::lsm_tier || loads(row.name)) continue;
    const auto probed =
        std::find_if(hooks.begin(), hooks.end(), [&](const HookProbe& h) { return h.name == row.name; });
    if (probed == hooks.end()) continue;
    if (first.empty()) {
      first = probed->name + ": " + state_text(*probed);
    } else {
      ++others;
    }
  }
  return others == 0 ? first : first + ", and " + std::to_string(others) + " more";
}

bool socket_programs_load() {
  return libbpf_probe_bpf_helper(BPF_PROG_TYPE_CGROUP_SKB, BPF_FUNC_get_current_task, nullptr) == 1;
}

Result<Probe> probe_host(ProbeDepth depth, const Host& host) {
  TRY_STATUS(check_host(host));
  Probe probe{.tier = Tier::lsm, .kernel = host.release, .hooks = {}};
  const libbpf_print_fn_t before = libbpf_set_print(nullptr);
  const std::unique_ptr<btf, BtfDelete> kernel(btf__parse(host.btf_path.c_str(), nullptr));
  const Targets targets = kernel ? find_targets(kernel.get()) : Targets();
  probe.types_in_place = types_in_place(targets);
  std::string missing;
  for (const HookRow& row : kHooks) {
    probe.hooks.push_back(probe_hook(row, targets, depth));
    if (probe.hooks.back().state == HookState::loads) continue;
    if (row.need == Need::sensor) missing += (missing.empty() ? "" : ", ") + std::string(row.name);
    if (row.need == Need::lsm_tier) probe.tier = Tier::tracepoint;
  }
  probe.has_loops = function_programs_load();
  if (!probe.has_loops) probe.tier = Tier::tracepoint;
  if (probe.tier == Tier::lsm) probe.calls = find_call_functions(targets, host);
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
    const bool is_of_lsm = row.need == Need::lsm_more || row.need == Need::lsm_late;
    if (probe.loads(row.name) || (row.need != Need::more && !(is_of_lsm && tier == Tier::lsm))) continue;
    const bool is_absent = std::any_of(probe.hooks.begin(), probe.hooks.end(), [&](const HookProbe& hook) {
      return hook.name == row.name && hook.state == HookState::absent;
    });
    const std::string sentence = std::string(row.gives) + " are not seen";
    if (row.need == Need::lsm_late && is_absent) continue;
    if (lost.empty() || lost.back() != sentence) lost.push_back(sentence);
  }
  lost.emplace_back(kLostAlways);
  return lost;
}

std::string probe_report(const Host& host) {
  Result<Probe> probe = probe_host(ProbeDepth::every_hook, host);
  if (!probe) return "the sensor cannot run here: " + probe.error().message + "\n";
  const Status tried = in_best_way(probe->tier, *probe, Other::or_tracepoints, try_programs);
  if (!tried) return "the sensor cannot run here: " + tried.error().message + "\n";
  const Tier tier = probe->tier;
  std::string report = "kernel: " + probe->kernel + "\ntier: " + std::string(name_of(tier)) + "\n";
  if (const std::string why = probe->why_not_lsm(); !why.empty()) report += "not the tier lsm: " + why + "\n";
  report += "system calls: " + where_calls_are_told(tier, *probe) + "\nhooks:\n";
  for (const HookProbe& hook : probe->hooks) {
    report += "  " + hook.name + ": " + state_text(hook) + ", for " + hook.gives + "\n";
  }
  report += "not to be had in this tier:\n";
  for (const std::string& lost : lost_in(tier, *probe)) report += "  " + lost + "\n";
  return report;
}

}  // namespace redoubt::sensor
