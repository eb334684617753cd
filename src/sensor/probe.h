// What this host's kernel lets the sensor do. Called by Sensor::start() and by `redoubt-agent probe`; loads small
// programs for a moment and leaves nothing behind.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sensor/tier.h"

namespace redoubt::sensor {

// Where the probe looks; a test names another place.
struct Host {
  std::string release;                               // of the kernel, as uname gives it
  std::string version = "";                          // the same
  std::string btf_path = "/sys/kernel/btf/vmlinux";  // the kernel's types
};
Host this_host();

// Of the functions that programs are attached to: whether each is tried, or only one, for the tier's sake, and the
// others are looked up.
enum class ProbeDepth { tier, every_hook };

enum class HookState { loads, refused, absent };

struct HookProbe {
  std::string name;  // "tp_btf/sched_process_exec", "fentry/security_path_rename"
  HookState state = HookState::loads;
  std::string detail;  // why it is refused
  std::string gives;   // what it is needed for
};

// What programs need to read objects of the kernel in place (Linux 6.2): the numbers of its types, 0 where it cannot
// be.
struct TypesInPlace {
  uint32_t file = 0;
  uint32_t list_head = 0;
};

// The functions of system calls that handlers of the tier lsm can stand at, by their numbers in the kernel's types.
struct CallFunctions {
  std::map<int32_t, uint32_t> native;  // by the number of the call; those that the kernel has
  bool has_compat = false;             // the i386 entry, all of whose calls go through one function
  // Why the handlers run from the tracepoint of all calls there too; empty if not.
  std::string why_not = "they were not looked for";
};

struct Probe {
  Tier tier = Tier::tracepoint;  // the better of those that run here
  std::string kernel;            // release
  std::vector<HookProbe> hooks;  // a row of kHooks each, and those at sockets
  bool has_loops = true;         // bpf_loop(), which the programs at functions need: Linux 5.17
  TypesInPlace types_in_place;
  CallFunctions calls;
  std::string refused;  // the program of the tier lsm that the kernel refused all the same, and why

  bool loads(std::string_view hook) const;
  // Which hooks of the tier lsm are not to be had, and why; empty if it can be.
  std::string why_not_lsm() const;
  void refuse_lsm(std::string why);
};

// Refuses with `unsupported` (kernel before 5.8, no BTF, no cgroup or ring buffer support) or `permission_denied`.
Result<Probe> probe_host(ProbeDepth depth, const Host& host = this_host());
// What `tier` cannot do here that another could, a sentence each.
std::vector<std::string> lost_in(Tier tier, const Probe& probe);
// The same as text for people, refusal included.
std::string probe_report(const Host& host = this_host());
// Whether programs at sockets (cgroup_skb) can say whose packet they see: without it there are no datagrams and no name
// look-ups.
bool socket_programs_load();

}  // namespace redoubt::sensor
