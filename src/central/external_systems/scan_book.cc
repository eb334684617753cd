#include "central/external_systems/scan_book.h"

#include <soci/soci.h>

namespace redoubt::central {

constexpr std::string_view kExternalScansSql = R"sql(
CREATE TABLE external_scans (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  system_id TEXT NOT NULL,
  instance TEXT NOT NULL,
  scan_id TEXT NOT NULL,
  object_id TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  state BIGINT NOT NULL,
  submitted_us BIGINT NOT NULL,
  UNIQUE (system_id, instance, scan_id)
);
CREATE INDEX external_scans_by_system ON external_scans (system_id, id);
CREATE INDEX external_scans_by_age ON external_scans (submitted_us);
)sql";
const std::string_view kExternalScansMigration = kExternalScansSql;

namespace {

// Empty parts of a name stand for any. A value is bound once for each time it stands there: the databases differ in how
// they count.
constexpr std::string_view kOfName =
    " FROM external_scans WHERE system_id = :system AND (:instance = '' OR instance = :of_instance)"
    " AND (:scan = '' OR scan_id = :of_scan)";

std::vector<ExternalScan> read_scans(soci::session& sql, const ScanName& name) {
  std::vector<ExternalScan> scans;
  ExternalScan row;
  long long state = 0;
  soci::statement statement =
      (sql.prepare << "SELECT system_id, instance, scan_id, object_id, sha256, state" + std::string(kOfName) +
                          " ORDER BY id",
       soci::into(row.name.system_id), soci::into(row.name.instance), soci::into(row.name.scan_id),
       soci::into(row.object_id), soci::into(row.sha256), soci::into(state), soci::use(name.system_id),
       soci::use(name.instance), soci::use(name.instance), soci::use(name.scan_id), soci::use(name.scan_id));
  statement.execute();
  while (statement.fetch()) {
    row.state = static_cast<scan::Verdict>(state);
    scans.push_back(row);
  }
  return scans;
}

std::vector<std::string> systems_with_scans(soci::session& sql) {
  const soci::rowset<std::string> rows = (sql.prepare << "SELECT DISTINCT system_id FROM external_scans");
  return {rows.begin(), rows.end()};
}

}  // namespace

Status ScanBook::add(const ExternalScan& scan) {
  return state_.write([&](soci::session& sql) -> Status {
    if (!read_scans(sql, scan.name).empty()) {
      // An empty instance stands for any: an id is the system's, whichever of its machines used it.
      return fail(Errc::already_exists, "the scan id '" + scan.name.scan_id + "' is used already");
    }
    const long long state = static_cast<long long>(scan.state), now_us = base::Time::now().us;
    sql << "INSERT INTO external_scans (system_id, instance, scan_id, object_id, sha256, state, submitted_us)"
           " VALUES (:system, :instance, :scan, :object, :sha256, :state, :now)",
        soci::use(scan.name.system_id), soci::use(scan.name.instance), soci::use(scan.name.scan_id),
        soci::use(scan.object_id), soci::use(scan.sha256), soci::use(state), soci::use(now_us);
    return {};
  });
}

Result<std::vector<ExternalScan>> ScanBook::find(const ScanName& name) {
  std::vector<ExternalScan> scans;
  TRY_STATUS(state_.read([&](soci::session& sql) -> Status {
    scans = read_scans(sql, name);
    return {};
  }));
  TRY_STATUS(settle(scans));
  return scans;
}

// Asks the objects of those that were processing, and keeps what is final by now.
Status ScanBook::settle(std::vector<ExternalScan>& scans) {
  std::vector<const ExternalScan*> settled;
  for (ExternalScan& scan : scans) {
    if (scan.state != scan::Verdict::processing) continue;
    const auto object = objects_.get(scan.object_id, 0);
    if (!object && object.error().code != Errc::not_found) return tl::unexpected<Error>(object.error());
    scan.state = object ? object->verdict : scan::Verdict::error;
    if (scan.state != scan::Verdict::processing) settled.push_back(&scan);
  }
  if (settled.empty()) return {};
  return state_.write([&](soci::session& sql) -> Status {
    for (const ExternalScan* scan : settled) {
      const long long state = static_cast<long long>(scan->state);
      sql << "UPDATE external_scans SET state = :state WHERE system_id = :system AND instance = :instance"
             " AND scan_id = :scan",
          soci::use(state), soci::use(scan->name.system_id), soci::use(scan->name.instance),
          soci::use(scan->name.scan_id);
    }
    return {};
  });
}

Result<size_t> ScanBook::remove(const ScanName& name) {
  size_t removed = 0;
  TRY_STATUS(state_.write([&](soci::session& sql) -> Status {
    removed = read_scans(sql, name).size();
    sql << "DELETE" + std::string(kOfName), soci::use(name.system_id), soci::use(name.instance),
        soci::use(name.instance), soci::use(name.scan_id), soci::use(name.scan_id);
    return {};
  }));
  return removed;
}

Status ScanBook::forget_old(base::Time now) {
  return state_.write([&](soci::session& sql) -> Status {
    const long long oldest_us = now.us - kScanAgeUsMax, most = kScansPerSystemMax;
    sql << "DELETE FROM external_scans WHERE submitted_us < :oldest", soci::use(oldest_us);
    for (const std::string& system : systems_with_scans(sql)) {
      long long last_to_go = 0;
      sql << "SELECT id FROM external_scans WHERE system_id = :system ORDER BY id DESC LIMIT 1 OFFSET :most",
          soci::into(last_to_go), soci::use(system), soci::use(most);
      if (!sql.got_data()) continue;
      sql << "DELETE FROM external_scans WHERE system_id = :system AND id <= :last", soci::use(system),
          soci::use(last_to_go);
    }
    return {};
  });
}

}  // namespace redoubt::central
