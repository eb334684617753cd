// The hosts of the fleet: who they are (state database), whether they are connected and how much they send (memory).
// Called by ingest for what agents do, by the API for what people see. Any thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "central/fleet/event_rate.h"
#include "event/batch.h"
#include "link/host_policy.h"
#include "link/node/link_server.h"
#include "store/state/state_db.h"

namespace redoubt::central {

enum class HostState : uint8_t { connected, disconnected, revoked };

std::string_view name_of(HostState state);

struct Host {
  std::string id, name, ip, os, agent_version, tier;
  HostState state = HostState::disconnected;
  base::Time last_contact;  // 0: none yet
  base::Time enrolled;
  double event_rate = 0;  // events a second, last minute
  int64_t memory_bytes = 0;
  std::string silent_alert;  // id of the alert that it fell silent; empty: it did not
  link::HostReport report;   // the latest one
  base::Time reported;       // 0: none since the node started
};

// A loss that an agent declared, as its event says.
struct HostLoss {
  std::string cause, kind, cgroup;
  int64_t count = 0;  // 0: not known
  base::Time since, until;
};
constexpr size_t kRecentLossesMax = 20;  // of a host, since the node started

struct NewHost {
  std::string id, name, certificate_fingerprint;
};

class Fleet {
 public:
  explicit Fleet(store::StateDb& state) : state_(state) {}

  // Inside the caller's transaction.
  static Status add(soci::session& sql, const NewHost& host);
  Result<std::vector<Host>> list();  // by name
  Result<Host> get(const std::string& id);
  // Refused from now on; not_found where there is no such host.
  Status revoke(const std::string& id);

  // permission_denied unless the certificate is that of an enrolled host that is not revoked.
  Status connected(const link::AgentIdentity& agent, const link::AgentHello& hello);
  void disconnected(const link::AgentIdentity& agent);
  // permission_denied once the host was revoked.
  Status check_connected(const link::AgentIdentity& agent);
  void reported(const std::string& host_id, const link::HostReport& report);
  // Newest first.
  std::vector<HostLoss> recent_losses(const std::string& host_id);
  Status set_silent_alert(const std::string& host_id, const std::string& alert_id);
  // What a stored batch says about its host: activity, and the agent's own figures.
  void saw(const std::string& host_id, const event::Batch& batch, uint64_t events_new);

 private:
  struct Activity {
    bool connected = false, revoked = false;
    base::Time last_contact, contact_written;
    EventRate rate;
    int64_t memory_bytes = 0;
    link::HostReport report;
    base::Time reported;
    std::deque<HostLoss> losses;  // newest first
  };
  void write_contact(const std::string& host_id, base::Time when);
  void complete(Host& host, base::Time now);

  store::StateDb& state_;
  std::mutex mutex_;
  std::map<std::string, Activity> activity_;
};

}  // namespace redoubt::central
