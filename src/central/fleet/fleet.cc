#include "central/fleet/fleet.h"

#include <soci/soci.h>
#include <algorithm>

#include "base/log.h"

namespace redoubt::central {

namespace {

// The database learns of a host's contact at most so often; the page shows the newer value from memory.
constexpr int64_t kContactWriteUs = base::kMinuteUs;

constexpr std::string_view kHostColumns =
    "SELECT id, name, ip, os, agent_version, tier, enrolled_us, last_contact_us, revoked_us FROM hosts";

struct HostReader {
  long long enrolled = 0, last_contact = 0, revoked = 0;
  Host host;

  void bind(soci::details::prepare_temp_type& prepared) {
    prepared, soci::into(host.id), soci::into(host.name), soci::into(host.ip), soci::into(host.os),
        soci::into(host.agent_version), soci::into(host.tier), soci::into(enrolled), soci::into(last_contact),
        soci::into(revoked);
  }
  Host take() {
    host.enrolled = {enrolled};
    host.last_contact = {last_contact};
    host.state = revoked != 0 ? HostState::revoked : HostState::disconnected;
    return host;
  }
};

}  // namespace

std::string_view name_of(HostState state) {
  switch (state) {
    case HostState::connected: return "connected";
    case HostState::disconnected: return "disconnected";
    case HostState::revoked: return "revoked";
  }
  return "";
}

Status Fleet::add(soci::session& sql, const NewHost& host) {
  const long long now_us = base::Time::now().us;
  sql << "INSERT INTO hosts (id, name, certificate_fingerprint, enrolled_us) VALUES (:id, :name, :print, :now)",
      soci::use(host.id), soci::use(host.name), soci::use(host.certificate_fingerprint), soci::use(now_us);
  return {};
}

Result<std::vector<Host>> Fleet::list() {
  std::vector<Host> hosts;
  TRY_STATUS(state_.read([&](soci::session& sql) -> Status {
    HostReader reader;
    soci::details::prepare_temp_type prepared = sql.prepare << std::string(kHostColumns) + " ORDER BY name, id";
    reader.bind(prepared);
    soci::statement statement(prepared);
    statement.execute();
    while (statement.fetch()) hosts.push_back(reader.take());
    return {};
  }));
  const base::Time now = base::Time::now();
  for (Host& host : hosts) complete(host, now);
  return hosts;
}

Result<Host> Fleet::get(const std::string& id) {
  Host host;
  TRY_STATUS(state_.read([&](soci::session& sql) -> Status {
    HostReader reader;
    soci::details::prepare_temp_type prepared = sql.prepare << std::string(kHostColumns) + " WHERE id = :id";
    reader.bind(prepared);
    prepared, soci::use(id);
    soci::statement statement(prepared);
    statement.execute();
    if (!statement.fetch()) return fail(Errc::not_found, "no host '" + id.substr(0, 64) + "'");
    host = reader.take();
    return {};
  }));
  complete(host, base::Time::now());
  return host;
}

void Fleet::complete(Host& host, base::Time now) {
  const std::lock_guard lock(mutex_);
  const auto found = activity_.find(host.id);
  if (found == activity_.end()) return;
  const Activity& activity = found->second;
  if (host.state != HostState::revoked && activity.connected) host.state = HostState::connected;
  host.last_contact = std::max(host.last_contact, activity.last_contact);
  host.event_rate = activity.rate.per_second(now);
  host.memory_bytes = activity.memory_bytes;
}

Status Fleet::revoke(const std::string& id) {
  const long long now_us = base::Time::now().us;
  TRY_STATUS(state_.write([&](soci::session& sql) -> Status {
    soci::statement statement =
        (sql.prepare << "UPDATE hosts SET revoked_us = CASE revoked_us WHEN 0 THEN :now ELSE revoked_us END"
                        " WHERE id = :id",
         soci::use(now_us), soci::use(id));
    statement.execute(true);
    if (statement.get_affected_rows() == 0) return fail(Errc::not_found, "no host '" + id.substr(0, 64) + "'");
    return {};
  }));
  const std::lock_guard lock(mutex_);
  activity_[id].revoked = true;
  return {};
}

Status Fleet::connected(const link::AgentIdentity& agent, const link::AgentHello& hello) {
  const base::Time now = base::Time::now();
  const long long now_us = now.us;
  TRY_STATUS(state_.write([&](soci::session& sql) -> Status {
    long long known = 0, revoked = 0;
    sql << "SELECT count(*), coalesce(max(revoked_us), 0) FROM hosts WHERE id = :id AND certificate_fingerprint = "
           ":print",
        soci::use(agent.host_id), soci::use(agent.certificate_fingerprint), soci::into(known), soci::into(revoked);
    if (known == 0) return fail(Errc::permission_denied, "the certificate is not that of an enrolled host");
    if (revoked != 0) return fail(Errc::permission_denied, "the host's certificate is revoked");
    sql << "UPDATE hosts SET name = CASE :name WHEN '' THEN name ELSE :name2 END, ip = :ip, os = :os,"
           " agent_version = :version, tier = :tier, last_contact_us = :now WHERE id = :id",
        soci::use(hello.host_name), soci::use(hello.host_name), soci::use(hello.host_ip), soci::use(hello.os_version),
        soci::use(hello.agent_version), soci::use(hello.tier), soci::use(now_us), soci::use(agent.host_id);
    return {};
  }));
  const std::lock_guard lock(mutex_);
  Activity& activity = activity_[agent.host_id];
  if (activity.revoked) return fail(Errc::permission_denied, "the host's certificate is revoked");
  activity.connected = true;
  activity.last_contact = activity.contact_written = now;
  return {};
}

void Fleet::disconnected(const link::AgentIdentity& agent) {
  const base::Time now = base::Time::now();
  {
    const std::lock_guard lock(mutex_);
    activity_[agent.host_id].connected = false;
    activity_[agent.host_id].last_contact = now;
  }
  write_contact(agent.host_id, now);
}

Status Fleet::check_connected(const link::AgentIdentity& agent) {
  const std::lock_guard lock(mutex_);
  const auto found = activity_.find(agent.host_id);
  if (found == activity_.end() || found->second.revoked) {
    return fail(Errc::permission_denied, "the host's certificate is revoked");
  }
  return {};
}

void Fleet::saw(const std::string& host_id, const event::Batch& batch, uint64_t events_new) {
  const base::Time now = base::Time::now();
  int64_t memory_bytes = 0;
  for (size_t i = 0; i < batch.size(); ++i) {
    const event::Row row = batch.row(i);
    if (row.type() == event::EventType::agent && row.get(event::Field::agent_rss).present()) {
      memory_bytes = row.integer(event::Field::agent_rss);
    }
  }
  bool write = false;
  {
    const std::lock_guard lock(mutex_);
    Activity& activity = activity_[host_id];
    activity.rate.add(events_new, now);
    activity.last_contact = now;
    if (memory_bytes > 0) activity.memory_bytes = memory_bytes;
    write = now.us - activity.contact_written.us >= kContactWriteUs;
    if (write) activity.contact_written = now;
  }
  if (write) write_contact(host_id, now);
}

void Fleet::write_contact(const std::string& host_id, base::Time when) {
  const long long when_us = when.us;
  const Status status = state_.write([&](soci::session& sql) -> Status {
    sql << "UPDATE hosts SET last_contact_us = :when WHERE id = :id", soci::use(when_us), soci::use(host_id);
    return {};
  });
  if (!status) base::log_warning("fleet", "host " + host_id + ": " + status.error().message);
}

}  // namespace redoubt::central
