#include "store/events/stored_tables.h"

#include <soci/soci.h>

namespace redoubt::store {

void put_sequences(soci::session& session, const std::map<BootKey, uint64_t>& sequences) {
  std::string host_id;
  std::string boot_id;
  long long sequence = 0;
  soci::statement put =
      (session.prepare << "INSERT OR REPLACE INTO stored (host_id, boot_id, sequence) VALUES (:h, :b, :s)",
       soci::use(host_id), soci::use(boot_id), soci::use(sequence));
  for (const auto& [key, value] : sequences) {
    host_id = key.first;
    boot_id = key.second;
    sequence = static_cast<long long>(value);
    put.execute(true);
  }
}

void put_hosts(soci::session& session, const std::map<std::string, HostActivity>& hosts) {
  std::string host_id;
  long long events = 0;
  long long lost = 0;
  long long last = 0;
  soci::statement put =
      (session.prepare
           << "INSERT OR REPLACE INTO host (host_id, events, events_lost, last_event) VALUES (:h, :e, :l, :t)",
       soci::use(host_id), soci::use(events), soci::use(lost), soci::use(last));
  for (const auto& [id, host] : hosts) {
    host_id = id;
    events = static_cast<long long>(host.events);
    lost = static_cast<long long>(host.events_lost);
    last = host.last_event_us;
    put.execute(true);
  }
}

std::map<BootKey, uint64_t> stored_sequences(soci::session& session) {
  std::map<BootKey, uint64_t> sequences;
  BootKey key;
  long long sequence = 0;
  soci::statement rows = (session.prepare << "SELECT host_id, boot_id, sequence FROM stored", soci::into(key.first),
                          soci::into(key.second), soci::into(sequence));
  rows.execute();
  while (rows.fetch()) sequences[key] = static_cast<uint64_t>(sequence);
  return sequences;
}

std::map<std::string, HostActivity> stored_hosts(soci::session& session) {
  std::map<std::string, HostActivity> hosts;
  std::string host_id;
  long long events = 0, lost = 0, last = 0;
  soci::statement rows = (session.prepare << "SELECT host_id, events, events_lost, last_event FROM host",
                          soci::into(host_id), soci::into(events), soci::into(lost), soci::into(last));
  rows.execute();
  while (rows.fetch()) {
    hosts[host_id] = {.host_id = host_id,
                      .events = static_cast<uint64_t>(events),
                      .events_lost = static_cast<uint64_t>(lost),
                      .last_event_us = last};
  }
  return hosts;
}

}  // namespace redoubt::store
