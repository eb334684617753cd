#include "sensor/privilege/privilege_decode.h"

#include <sched.h>

#include <algorithm>
#include <array>

#include "redoubt/event.pb.h"
#include "sensor/privilege/capability.h"
#include "sensor/syscall/syscall_table.h"

namespace redoubt::sensor {

namespace {

struct FlagName {
  uint64_t flag;
  std::string_view name;
};

constexpr uint64_t kCloneNewTime = 0x80;  // of unshare() and setns() alone

constexpr auto kNamespaces = std::to_array<FlagName>({
    {CLONE_NEWCGROUP, "CLONE_NEWCGROUP"},
    {CLONE_NEWIPC, "CLONE_NEWIPC"},
    {CLONE_NEWNET, "CLONE_NEWNET"},
    {CLONE_NEWNS, "CLONE_NEWNS"},
    {CLONE_NEWPID, "CLONE_NEWPID"},
    {kCloneNewTime, "CLONE_NEWTIME"},
    {CLONE_NEWUSER, "CLONE_NEWUSER"},
    {CLONE_NEWUTS, "CLONE_NEWUTS"},
});

// By number, as in linux/ptrace.h: the requests that the BPF side sends.
constexpr auto kRequests = std::to_array<FlagName>({
    {0, "PTRACE_TRACEME"},
    {4, "PTRACE_POKETEXT"},
    {5, "PTRACE_POKEDATA"},
    {6, "PTRACE_POKEUSR"},
    {13, "PTRACE_SETREGS"},
    {15, "PTRACE_SETFPREGS"},
    {16, "PTRACE_ATTACH"},
    {0x4205, "PTRACE_SETREGSET"},
    {0x4206, "PTRACE_SEIZE"},
});

template <class Record>
std::optional<Record> whole_record(std::string_view record) {
  if (record.size() < sizeof(Record)) return std::nullopt;
  return *reinterpret_cast<const Record*>(record.data());
}

}  // namespace

std::string_view call_name(const rd_call& call) {
  return call_name_of(call.number, call.compat != 0 ? Entry::compat : Entry::native);
}

Identity identity_of(const rd_actor& actor, const rd_context& context) {
  return {.user = actor.uid,
          .effective_user = actor.euid,
          .group = actor.gid,
          .effective_group = context.effective_gid,
          .cap_effective = context.cap_effective,
          .cap_permitted = context.cap_permitted};
}

std::optional<rd_privilege> decode_privilege(std::string_view record) { return whole_record<rd_privilege>(record); }
std::optional<rd_trace> decode_trace(std::string_view record) { return whole_record<rd_trace>(record); }

std::string namespace_names(uint64_t flags) {
  std::string names;
  for (const FlagName& row : kNamespaces) {
    if ((flags & row.flag) == 0) continue;
    if (!names.empty()) names += '|';
    names += row.name;
  }
  return names;
}

Told describe_privilege(const rd_privilege& record, v1::Event& event) {
  const std::string_view call = call_name(record.call);
  if (call.empty()) return Told::no;
  event.set_event_type(v1::EVENT_TYPE_PRIVILEGE);
  event.set_event_action(std::string(call));
  if (record.namespaces != 0) event.set_namespace_types(namespace_names(record.namespaces));
  return Told::yes;
}

Told describe_trace(const rd_trace& record, v1::Event& event) {
  const std::string_view call = call_name(record.call);
  if (call.empty()) return Told::no;
  event.set_event_type(v1::EVENT_TYPE_PTRACE);
  event.set_event_action(std::string(call));
  if (call != "ptrace") return Told::yes;
  const auto* const row = std::find_if(kRequests.begin(), kRequests.end(),
                                       [&](const FlagName& request) { return request.flag == record.request; });
  if (row == kRequests.end()) return Told::no;
  event.set_ptrace_request(std::string(row->name));
  return Told::yes;
}

void describe_change(const Identity& before, const Identity& after, v1::Event& event) {
  event.set_user_changes_id(after.user);
  event.set_user_changes_effective_id(after.effective_user);
  event.set_group_effective_id(before.effective_group);
  event.set_group_changes_id(after.group);
  event.set_group_changes_effective_id(after.effective_group);
  if (after.cap_effective != before.cap_effective) {
    event.set_process_cap_changes_effective(capability_names(after.cap_effective));
  }
  if (after.cap_permitted != before.cap_permitted) {
    event.set_process_cap_changes_permitted(capability_names(after.cap_permitted));
  }
}

}  // namespace redoubt::sensor
