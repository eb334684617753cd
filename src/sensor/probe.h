// What this host's kernel lets the sensor do. Called by Sensor::start() and by `redoubt-agent probe`; loads small
// programs for a moment and leaves nothing behind.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "sensor/tier.h"

namespace redoubt::sensor {

enum class HookState { loads, refused };

struct HookProbe {
  std::string name;  // "tp_btf/sched_process_exec", "lsm/file_open"
  HookState state;
  std::string detail;  // why it is refused
  std::string gives;   // what it is needed for
};

struct Probe {
  Tier tier = Tier::tracepoint;  // the tier that would run
  std::string kernel;            // release
  std::vector<HookProbe> hooks;
  std::vector<std::string> lost;  // what the tier cannot do that a better one does, a sentence each
};

// Refuses with `unsupported` (kernel before 5.8, no BTF, no cgroup or ring buffer support) or `permission_denied`.
Result<Probe> probe_host();
// The same as text for people, refusal included.
std::string probe_report();
// Whether programs at sockets (cgroup_skb) can say whose packet they see: without it there are no datagrams and no name
// look-ups.
bool socket_programs_load();

}  // namespace redoubt::sensor
