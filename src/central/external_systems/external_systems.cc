#include "central/external_systems/external_systems.h"

#include <soci/soci.h>

#include <algorithm>
#include <array>

#include "base/log.h"
#include "base/text.h"
#include "central/users/login_throttle.h"

namespace redoubt::central {

// A row for each pair of system and certificate.
constexpr std::string_view kExternalSystemsSql = R"sql(
CREATE TABLE external_systems (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  system_id TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  name TEXT NOT NULL DEFAULT '',
  address TEXT NOT NULL,
  state BIGINT NOT NULL,
  first_seen_us BIGINT NOT NULL,
  last_seen_us BIGINT NOT NULL,
  decided_by TEXT NOT NULL DEFAULT '',
  decided_us BIGINT NOT NULL DEFAULT 0,
  UNIQUE (system_id, fingerprint)
);
)sql";
const std::string_view kExternalSystemsMigration = kExternalSystemsSql;

namespace {

constexpr std::array<std::string_view, 3> kSystemStates = {"pending", "approved", "rejected"};

Status check_system_id(const std::string& id) {
  const auto plain = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_'; };
  if (id.empty() || id.size() > kSystemIdBytesMax || !std::all_of(id.begin(), id.end(), plain)) {
    return fail(Errc::unauthenticated,
                "the id of an external system is a UUID, or up to 64 letters, digits, '-' and '_'");
  }
  return {};
}

Status no_system(int64_t id) { return fail(Errc::not_found, "no external system '" + std::to_string(id) + "'"); }

void insert_system(soci::session& sql, ExternalSystem& system) {
  const long long state = static_cast<long long>(system.state), seen = system.first_seen.us;
  sql << "INSERT INTO external_systems (system_id, fingerprint, address, state, first_seen_us, last_seen_us)"
         " VALUES (:system, :fingerprint, :address, :state, :first, :last)",
      soci::use(system.system_id), soci::use(system.fingerprint), soci::use(system.address), soci::use(state),
      soci::use(seen), soci::use(seen);
  long long id = 0;
  sql << "SELECT last_insert_rowid()", soci::into(id);
  system.id = id;
}

void delete_system(soci::session& sql, long long id) {
  sql << "DELETE FROM external_systems WHERE id = :id", soci::use(id);
}

}  // namespace

std::string_view name_of(SystemState state) { return kSystemStates[static_cast<size_t>(state)]; }

Result<std::unique_ptr<ExternalSystems>> ExternalSystems::open(store::StateDb& state) {
  std::unique_ptr<ExternalSystems> book(new ExternalSystems(state));
  TRY_STATUS(base::within("read the external systems", book->load()));
  return book;
}

Status ExternalSystems::load() {
  return state_.read([&](soci::session& sql) -> Status {
    long long id = 0, state = 0, first_us = 0, last_us = 0, decided_us = 0;
    ExternalSystem row;
    soci::statement statement =
        (sql.prepare << "SELECT id, system_id, fingerprint, name, address, state, first_seen_us, last_seen_us,"
                        " decided_by, decided_us FROM external_systems",
         soci::into(id), soci::into(row.system_id), soci::into(row.fingerprint), soci::into(row.name),
         soci::into(row.address), soci::into(state), soci::into(first_us), soci::into(last_us),
         soci::into(row.decided_by), soci::into(decided_us));
    statement.execute();
    while (statement.fetch()) {
      row.id = id;
      row.state = static_cast<SystemState>(state);
      row.first_seen = {first_us};
      row.last_seen = {last_us};
      row.decided = {decided_us};
      systems_.insert_or_assign(Key{row.system_id, row.fingerprint}, row);
    }
    return {};
  });
}

Status ExternalSystems::admit(const SystemClaim& claim, base::Time now) {
  TRY_STATUS(check_system_id(claim.system_id));
  const std::lock_guard lock(mutex_);
  const auto found = systems_.find({claim.system_id, claim.fingerprint});
  if (found == systems_.end()) return write_down(claim, now);
  ExternalSystem& system = found->second;
  system.last_seen = now;
  system.address = claim.address;
  seen_.insert(found->first);
  switch (system.state) {
    case SystemState::approved: return {};
    case SystemState::pending:
      return fail(Errc::unauthenticated,
                  "an administrator must approve this system first; its certificate has the "
                  "SHA-256 fingerprint " +
                      claim.fingerprint);
    case SystemState::rejected: return fail(Errc::unauthenticated, "an administrator has rejected this system");
  }
  return fail(Errc::internal, "external system of an unknown state");
}

size_t ExternalSystems::pending_of(const std::string& sender) const {
  return static_cast<size_t>(std::count_if(systems_.begin(), systems_.end(), [&](const auto& entry) {
    return entry.second.state == SystemState::pending && sender_of(entry.second.address) == sender;
  }));
}

// Where there is no room for another one that is pending: the one that was silent longest.
std::optional<ExternalSystems::Key> ExternalSystems::to_drop() const {
  size_t pending = 0;
  const std::pair<const Key, ExternalSystem>* oldest = nullptr;
  for (const auto& entry : systems_) {
    if (entry.second.state != SystemState::pending) continue;
    ++pending;
    if (oldest == nullptr || entry.second.last_seen < oldest->second.last_seen) oldest = &entry;
  }
  if (pending < kPendingSystemsMax || oldest == nullptr) return std::nullopt;
  return oldest->first;
}

// Always an error: nobody has approved it yet.
Status ExternalSystems::write_down(const SystemClaim& claim, base::Time now) {
  if (pending_of(sender_of(claim.address)) >= kPendingOfSenderMax) {
    return fail(Errc::unauthenticated, "too many systems of this address wait for an administrator's approval");
  }
  const std::optional<Key> dropped = to_drop();
  ExternalSystem system{.system_id = claim.system_id,
                        .fingerprint = claim.fingerprint,
                        .address = claim.address,
                        .first_seen = now,
                        .last_seen = now};
  TRY_STATUS(state_.write([&](soci::session& sql) -> Status {
    if (dropped) delete_system(sql, systems_.at(*dropped).id);
    insert_system(sql, system);
    return {};
  }));
  if (dropped) {
    systems_.erase(*dropped);
    seen_.erase(*dropped);
  }
  base::log_info("external", "system " + system.system_id + " at " + system.address + " asks for approval");
  systems_.emplace(Key{system.system_id, system.fingerprint}, std::move(system));
  return fail(Errc::unauthenticated,
              "this system is new: an administrator must approve it; its certificate has the SHA-256 fingerprint " +
                  claim.fingerprint);
}

std::vector<ExternalSystem> ExternalSystems::list() const {
  std::vector<ExternalSystem> all;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, system] : systems_) all.push_back(system);
  }
  std::sort(all.begin(), all.end(), [](const ExternalSystem& a, const ExternalSystem& b) {
    const bool a_waits = a.state == SystemState::pending, b_waits = b.state == SystemState::pending;
    return a_waits != b_waits ? a_waits : a.id < b.id;
  });
  return all;
}

ExternalSystem* ExternalSystems::find(int64_t id) {
  const auto found =
      std::find_if(systems_.begin(), systems_.end(), [id](const auto& entry) { return entry.second.id == id; });
  return found != systems_.end() ? &found->second : nullptr;
}

Result<ExternalSystem> ExternalSystems::decide(int64_t id, const SystemDecision& decision) {
  if (decision.name && (decision.name->size() > kSystemNameBytesMax || !base::is_utf8(*decision.name))) {
    return fail(Errc::invalid_argument, "'name': up to 128 bytes of UTF-8");
  }
  const std::lock_guard lock(mutex_);
  ExternalSystem* const system = find(id);
  if (system == nullptr) return tl::unexpected<Error>(no_system(id).error());
  ExternalSystem decided = *system;
  decided.state = decision.state;
  decided.name = decision.name.value_or(system->name);
  decided.decided_by = decision.by;
  decided.decided = base::Time::now();
  TRY_STATUS(state_.write([&](soci::session& sql) -> Status {
    const long long row = id, state = static_cast<long long>(decided.state), decided_us = decided.decided.us;
    sql << "UPDATE external_systems SET state = :state, name = :name, decided_by = :by, decided_us = :decided"
           " WHERE id = :id",
        soci::use(state), soci::use(decided.name), soci::use(decided.decided_by), soci::use(decided_us), soci::use(row);
    return {};
  }));
  *system = decided;
  return decided;
}

Status ExternalSystems::remove(int64_t id) {
  const std::lock_guard lock(mutex_);
  const ExternalSystem* const system = find(id);
  if (system == nullptr) return no_system(id);
  const Key key{system->system_id, system->fingerprint};
  TRY_STATUS(state_.write([&](soci::session& sql) -> Status {
    delete_system(sql, id);
    return {};
  }));
  systems_.erase(key);
  seen_.erase(key);
  return {};
}

Status ExternalSystems::save_seen() {
  const std::lock_guard lock(mutex_);
  if (seen_.empty()) return {};
  TRY_STATUS(state_.write([&](soci::session& sql) -> Status {
    for (const Key& key : seen_) {
      const ExternalSystem& system = systems_.at(key);
      const long long row = system.id, seen_us = system.last_seen.us;
      sql << "UPDATE external_systems SET last_seen_us = :seen, address = :address WHERE id = :id", soci::use(seen_us),
          soci::use(system.address), soci::use(row);
    }
    return {};
  }));
  seen_.clear();
  return {};
}

}  // namespace redoubt::central
