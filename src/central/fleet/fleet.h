// The hosts of the fleet: who they are (state database), whether they are connected and how much they send (memory).
// Called by ingest for what agents do, by the API for what people see. Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "central/fleet/event_rate.h"
#include "event/batch.h"
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
};

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
  // What a stored batch says about its host: activity, and the agent's own figures.
  void saw(const std::string& host_id, const event::Batch& batch, uint64_t events_new);

 private:
  struct Activity {
    bool connected = false, revoked = false;
    base::Time last_contact, contact_written;
    EventRate rate;
    int64_t memory_bytes = 0;
  };
  void write_contact(const std::string& host_id, base::Time when);
  void complete(Host& host, base::Time now);

  store::StateDb& state_;
  std::mutex mutex_;
  std::map<std::string, Activity> activity_;
};

}  // namespace redoubt::central
