// What the running agent says about itself in DATA/status.json, for `redoubt-agent status` and for monitoring.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "link/agent/link_client.h"
#include "sensor/sensor.h"

namespace redoubt::agent {

struct AgentStatus {
  std::string host_id;
  std::string boot_id;
  std::string node;
  std::string tier;
  std::string why_not_lsm;           // where it is not
  std::string why_not_at_functions;  // where it is, and every system call pays nevertheless
  link::LinkState link;
  uint64_t events_numbered = 0;
  uint64_t events_lost = 0;
  uint64_t spool_bytes = 0;
  int64_t memory_rss = 0;
  int cpu_permille = 0;  // of one core, as is the budget; 0: no limit
  int cpu_budget_permille = 0;
  uint64_t policy_version = 0;   // 0: none yet
  uint64_t events_excluded = 0;  // by it, since the agent started
  std::string degradation;       // agent.degradation
  sensor::SensorAccount sensor;
};

// Readers see the old content or the new; it is not forced to disk, since it dies with the process anyway.
Status write_status(const AgentStatus& status, const std::string& path);

}  // namespace redoubt::agent
