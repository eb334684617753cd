// The layout of the agent's data directory, beside identity.json (link/agent/identity.h) and agent.lock (data_lock.h).
#pragma once

#include <string>

namespace redoubt::agent {

inline std::string spool_path(const std::string& data) { return data + "/spool"; }
inline std::string rejected_path(const std::string& data) { return data + "/rejected"; }
inline std::string account_path(const std::string& data) { return data + "/account"; }
inline std::string policy_path(const std::string& data) { return data + "/policy.json"; }
inline std::string status_path(const std::string& data) { return data + "/status.json"; }

}  // namespace redoubt::agent
