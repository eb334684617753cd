// How far each host's events are and what is counted of each, as an engine keeps it in an SQLite database of its own
// (tables `stored` and `host`; in the manifest and in the ledger): within a transaction of that database.
#pragma once

#include <map>
#include <string>

#include "store/events/intake.h"

namespace soci {
class session;
}

namespace redoubt::store {

void put_sequences(soci::session& session, const std::map<BootKey, uint64_t>& sequences);
void put_hosts(soci::session& session, const std::map<std::string, HostActivity>& hosts);
std::map<BootKey, uint64_t> stored_sequences(soci::session& session);
std::map<std::string, HostActivity> stored_hosts(soci::session& session);

}  // namespace redoubt::store
