// What node and agent tell each other beside events: how the agent is, and what it shall leave out. Values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace redoubt::link {

constexpr size_t kPolicyEntriesMax = 1024;  // of each list
constexpr size_t kPolicyTextMax = 4096;     // of each entry, bytes

// What a host leaves out of its telemetry, and what it tells beside what it always tells. Starts and ends of programs
// are always told.
struct HostPolicy {
  uint64_t version = 0;               // rises with every change; 0: none was made yet
  std::vector<std::string> programs;  // executables whose file and network events are not told: absolute paths
  std::vector<std::string> paths;     // files at or below are not told: absolute paths
  std::vector<std::string> networks;  // connections with an address in it are not told: CIDR
  // Files whose opening for reading is told: absolute, by whole names, with "*" for any name and "/**" for all below.
  std::vector<std::string> read_paths;
};

// Sent every few seconds, so that the node knows of an agent that has nothing else to say.
struct HostReport {
  uint64_t policy_version = 0;  // that is applied
  std::string policy_error;     // why a newer one is not; empty: it is
  uint32_t cpu_permille = 0;    // of one core
  std::string degradation;      // agent.degradation of the field table
  uint64_t spool_bytes = 0;
  uint64_t events_lost = 0;  // on this boot
  uint64_t memory_rss = 0;
};

}  // namespace redoubt::link
