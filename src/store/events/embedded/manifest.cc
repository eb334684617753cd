#include "store/events/embedded/manifest.h"

#include <soci/soci.h>

#include "store/events/stored_tables.h"

namespace redoubt::store::embedded {

namespace {

constexpr Migration kManifestMigrations[] = {
    {1, "manifest", R"sql(
CREATE TABLE segment (
  number INTEGER PRIMARY KEY,
  min_time INTEGER NOT NULL,
  max_time INTEGER NOT NULL,
  events INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  columns TEXT NOT NULL,
  sealed INTEGER NOT NULL);
CREATE TABLE stored (
  host_id TEXT NOT NULL,
  boot_id TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  PRIMARY KEY (host_id, boot_id)) WITHOUT ROWID;
CREATE TABLE host (
  host_id TEXT PRIMARY KEY,
  events INTEGER NOT NULL,
  events_lost INTEGER NOT NULL,
  last_event INTEGER NOT NULL) WITHOUT ROWID;
)sql"},
    {2, "indexes", "ALTER TABLE segment ADD COLUMN index_bytes INTEGER NOT NULL DEFAULT 0"},
    {3, "checksums", "ALTER TABLE segment ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0"},
};

// SQLite has signed integers only.
long long signed_of(uint64_t number) { return static_cast<long long>(number); }

void insert_segment(soci::session& session, const SegmentInfo& segment) {
  const long long number = signed_of(segment.number);
  const long long events = signed_of(segment.rows);
  const long long bytes = signed_of(segment.bytes);
  const long long index_bytes = signed_of(segment.index_bytes);
  const long long checksum = signed_of(segment.checksum);
  const long long min_time = segment.min_time_us;
  const long long max_time = segment.max_time_us;
  const long long sealed = segment.sealed_us;
  session << "INSERT INTO segment (number, min_time, max_time, events, bytes, index_bytes, checksum, columns, "
             "sealed) VALUES (:number, :min, :max, :events, :bytes, :index, :checksum, :columns, :sealed)",
      soci::use(number), soci::use(min_time), soci::use(max_time), soci::use(events), soci::use(bytes),
      soci::use(index_bytes), soci::use(checksum), soci::use(segment.columns), soci::use(sealed);
}

void delete_segments(soci::session& session, const std::vector<uint64_t>& segments) {
  long long number = 0;
  soci::statement remove = (session.prepare << "DELETE FROM segment WHERE number = :n", soci::use(number));
  for (const uint64_t segment : segments) {
    number = signed_of(segment);
    remove.execute(true);
  }
}

}  // namespace

Result<std::unique_ptr<Manifest>> Manifest::open(const std::string& path) {
  TRY(auto db, base::within("open manifest", open_sqlite_state(path, kManifestMigrations)));
  return std::unique_ptr<Manifest>(new Manifest(std::move(db)));
}

Result<std::vector<SegmentInfo>> Manifest::segments() {
  std::vector<SegmentInfo> segments;
  TRY_STATUS(db_->read([&](soci::session& session) -> Status {
    long long number = 0, min_time = 0, max_time = 0, events = 0, bytes = 0, index_bytes = 0, checksum = 0, sealed = 0;
    std::string columns;
    soci::statement rows =
        (session.prepare
             << "SELECT number, min_time, max_time, events, bytes, index_bytes, checksum, columns, sealed FROM segment"
                " ORDER BY number",
         soci::into(number), soci::into(min_time), soci::into(max_time), soci::into(events), soci::into(bytes),
         soci::into(index_bytes), soci::into(checksum), soci::into(columns), soci::into(sealed));
    rows.execute();
    while (rows.fetch()) {
      segments.push_back({.number = static_cast<uint64_t>(number),
                          .min_time_us = min_time,
                          .max_time_us = max_time,
                          .rows = static_cast<uint64_t>(events),
                          .bytes = static_cast<uint64_t>(bytes),
                          .index_bytes = static_cast<uint64_t>(index_bytes),
                          .checksum = static_cast<uint64_t>(checksum),
                          .columns = columns,
                          .sealed_us = sealed});
    }
    return {};
  }));
  return segments;
}

Result<std::map<BootKey, uint64_t>> Manifest::sequences() {
  std::map<BootKey, uint64_t> sequences;
  TRY_STATUS(db_->read([&](soci::session& session) -> Status {
    sequences = stored_sequences(session);
    return {};
  }));
  return sequences;
}

Result<std::map<std::string, HostActivity>> Manifest::hosts() {
  std::map<std::string, HostActivity> hosts;
  TRY_STATUS(db_->read([&](soci::session& session) -> Status {
    hosts = stored_hosts(session);
    return {};
  }));
  return hosts;
}

Status Manifest::add(const Sealed& sealed) {
  return base::within("manifest", db_->write([&](soci::session& session) -> Status {
    for (const SegmentInfo& segment : sealed.segments) insert_segment(session, segment);
    put_sequences(session, sealed.sequences);
    put_hosts(session, sealed.hosts);
    return {};
  }));
}

Status Manifest::remove(const std::vector<uint64_t>& segments) {
  return base::within("manifest", db_->write([&](soci::session& session) -> Status {
    delete_segments(session, segments);
    return {};
  }));
}

Status Manifest::backup(const std::string& path) { return base::within("manifest", db_->backup(path)); }

Status Manifest::verify() { return base::within("manifest", db_->verify()); }

Status Manifest::replace(const std::vector<uint64_t>& segments, const SegmentInfo& fresh) {
  return base::within("manifest", db_->write([&](soci::session& session) -> Status {
    delete_segments(session, segments);
    insert_segment(session, fresh);
    return {};
  }));
}

}  // namespace redoubt::store::embedded
