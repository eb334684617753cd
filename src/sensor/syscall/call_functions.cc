#include "sensor/syscall/call_functions.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <sys/syscall.h>

#include <span>
#include <string_view>
#include <utility>

#include "redoubt_sensor.skel.h"
#include "sensor/syscall/syscall_table.h"

namespace redoubt::sensor {

namespace {

constexpr std::string_view kTellingCall = "unlink";  // has the prototype of all calls that jump to a teller

bpf_program* program_of(const redoubt_sensor& skeleton, std::string_view name) {
  bpf_program* program = bpf_object__find_program_by_name(skeleton.obj, std::string(name).c_str());
  CHECK(program != nullptr);
  return program;
}

// The text that libbpf has fitted to this kernel, with another map in the place of one.
struct OtherMap {
  int from;
  int to;
};
Result<base::UniqueFd> load_copy(const bpf_program* program, uint32_t function, OtherMap map) {
  const std::span<const bpf_insn> fitted(bpf_program__insns(program), bpf_program__insn_cnt(program));
  std::vector<bpf_insn> text(fitted.begin(), fitted.end());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i].code != (BPF_LD | BPF_IMM | BPF_DW)) continue;
    if (text[i].src_reg == BPF_PSEUDO_MAP_FD && text[i].imm == map.from) text[i].imm = map.to;
    ++i;  // such an instruction takes two places
  }
  LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_FEXIT, .attach_btf_id = function);
  base::UniqueFd copy(bpf_prog_load(BPF_PROG_TYPE_TRACING, bpf_program__name(program), "Dual BSD/GPL", text.data(),
                                    text.size(), &options));
  if (copy) return copy;
  return base::fail_errno("load a copy of the BPF program " + std::string(bpf_program__name(program)));
}

}  // namespace

Status aim_at_call_functions(const redoubt_sensor& skeleton, const CallFunctions& calls) {
  const std::string function =
      calls.has_compat ? std::string(kCompatFunction) : "__x64_sys_" + std::string(kTellingCall);
  bpf_program* each = nullptr;
  bpf_object__for_each_program(each, skeleton.obj) {
    if (std::string_view(bpf_program__section_name(each)) != kCallsHook || !bpf_program__autoload(each)) continue;
    bpf_program__set_expected_attach_type(each, BPF_TRACE_FEXIT);
    if (bpf_program__set_attach_target(each, 0, function.c_str()) != 0) return base::fail_errno("find " + function);
  }
  return {};
}

Result<NativeHandlers> NativeHandlers::load(const redoubt_sensor& skeleton, const CallFunctions& calls) {
  NativeHandlers handlers;
  handlers.tellers_ = base::UniqueFd(bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, "native_tellers", sizeof(uint32_t),
                                                    sizeof(uint32_t), kTellers.size(), nullptr));
  if (!handlers.tellers_) return base::fail_errno("make a table of programs");
  const OtherMap map{.from = bpf_map__fd(skeleton.maps.tellers), .to = handlers.tellers_.get()};
  for (uint32_t row = 0; row < kTellers.size(); ++row) {
    if (!is_program_of(Tier::lsm, kTellers[row])) continue;
    TRY(const base::UniqueFd teller, load_copy(program_of(skeleton, kTellers[row]), calls.native.at(SYS_unlink), map));
    const int fd = teller.get();
    if (bpf_map_update_elem(map.to, &row, &fd, BPF_ANY) != 0) return base::fail_errno("enter a copy into the tellers");
  }
  for (const SyscallHandler& handler : kSyscallHandlers) {
    const auto function = calls.native.find(handler.native);
    if (function == calls.native.end()) continue;
    TRY(base::UniqueFd copy, load_copy(program_of(skeleton, handler.program), function->second, map));
    handlers.copies_.push_back({.name = function_of(handler), .program = std::move(copy)});
  }
  return handlers;
}

Status NativeHandlers::attach() {
  for (const Copy& copy : copies_) {
    base::UniqueFd link(bpf_raw_tracepoint_open(nullptr, copy.program.get()));
    if (!link) return base::fail_errno("attach to " + copy.name);
    links_.push_back(std::move(link));
  }
  copies_.clear();  // the links hold them
  return {};
}

bool NativeHandlers::detach_next() {
  if (links_.empty()) return false;
  links_.pop_back();
  return true;
}

}  // namespace redoubt::sensor
