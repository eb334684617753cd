#include "central/fleet/fleet.h"

#include <soci/soci.h>
#include <algorithm>

#include "base/log.h"

namespace redoubt::central {

namespace {

// The database learns of a host's contact at most so often; the page shows the newer value from memory.
constexpr int64_t kContactWriteUs = base::kMinuteUs;

constexpr std::string_view kHostColumns =
    "SELECT id, name, ip, os, agent_version, tier, enrolled_us, last_contact_us, revoked_us, "
    "silent_alert FROM hosts";

struct HostReader {
  long long enrolled = 0, last_contact = 0, revoked = 0;
  Host host;

  void bind(soci::details::prepare_temp_type& prepared) {
    prepared, soci::into(host.id), soci::into(host.name), soci::into(host.ip), soci::into(host.os),
        soci::into(host.agent_version), soci::into(host.tier), soci::into(enrolled), soci::into(last_contact),
        soci::into(revoked), soci::into(host.silent_alert);
  }
  Host take() {
    host.enrolled = {enrolled};
    host.last_contact = {last_contact};
    host.state = revoked != 0 ? HostState::revoked : HostState::disconnected;
    return host;
  }
};

// A host comes with its certificate, or with the one that renewed it; from then on the one before is refused.
Status check_certificate(soci::session& sql, const link::AgentIdentity& agent) {
  long long known = 0, revoked = 0;
  std::string next;
  sql << "SELECT count(*), coalesce(max(revoked_us), 0), coalesce(max(next_certificate_fingerprint), '') FROM hosts"
         " WHERE id = :id AND :print IN (certificate_fingerprint, next_certificate_fingerprint)",
      soci::use(agent.host_id), soci::use(agent.certificate_fingerprint), soci::into(known), soci::into(revoked),
      soci::into(next);
  if (known == 0 || agent.certificate_fingerprint.empty()) {
    return fail(Errc::permission_denied, "the certificate is not that of an enrolled host");
  }
  if (revoked != 0) return fail(Errc::permission_denied, "the host's certificate is revoked");
  if (next != agent.certificate_fingerprint) return {};
  sql << "UPDATE hosts SET certificate_fingerprint = :print, next_certificate_fingerprint = '' WHERE id = :id",
      soci::use(agent.certificate_fingerprint), soci::use(agent.host_id);
  return {};
}

HostLoss loss_of(const event::Row& row) {
  using event::Field;
  return {.cause = std::string(row.text(Field::loss_cause)),
          .kind = std::string(row.text(Field::loss_kind)),
          .cgroup = std::string(row.text(Field::loss_cgroup)),
          .count = row.integer(Field::loss_count),
          .since = {row.integer(Field::loss_since)},
          .until = {row.integer(Field::loss_until)}};
}

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
  host.report = activity.report;
  host.reported = activity.reported;
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
    TRY_STATUS(check_certificate(sql, agent));
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
  std::vector<HostLoss> losses;
  for (size_t i = 0; i < batch.size(); ++i) {
    const event::Row row = batch.row(i);
    if (row.type() == event::EventType::loss && events_new > 0) losses.push_back(loss_of(row));
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
    activity.losses.insert(activity.losses.begin(), losses.rbegin(), losses.rend());
    if (activity.losses.size() > kRecentLossesMax) activity.losses.resize(kRecentLossesMax);
    write = now.us - activity.contact_written.us >= kContactWriteUs;
    if (write) activity.contact_written = now;
  }
  if (write) write_contact(host_id, now);
}

void Fleet::reported(const std::string& host_id, const link::HostReport& report) {
  const base::Time now = base::Time::now();
  bool write = false;
  {
    const std::lock_guard lock(mutex_);
    Activity& activity = activity_[host_id];
    activity.report = report;
    activity.reported = activity.last_contact = now;
    if (report.memory_rss > 0) activity.memory_bytes = static_cast<int64_t>(report.memory_rss);
    write = now.us - activity.contact_written.us >= kContactWriteUs;
    if (write) activity.contact_written = now;
  }
  if (write) write_contact(host_id, now);
}

std::vector<HostLoss> Fleet::recent_losses(const std::string& host_id) {
  const std::lock_guard lock(mutex_);
  const auto found = activity_.find(host_id);
  if (found == activity_.end()) return {};
  return {found->second.losses.begin(), found->second.losses.end()};
}

Status Fleet::set_silent_alert(const std::string& host_id, const std::string& alert_id) {
  return state_.write([&](soci::session& sql) -> Status {
    sql << "UPDATE hosts SET silent_alert = :alert WHERE id = :id", soci::use(alert_id), soci::use(host_id);
    return {};
  });
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
