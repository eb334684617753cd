#include "store/state/pooled_state.h"

#include <soci/soci.h>

#include "base/hash.h"
#include "base/time.h"

namespace redoubt::store {

namespace {

constexpr auto kReaderWaitMax = std::chrono::seconds(30);

struct AppliedMigration {
  int version = 0;
  std::string name;
  std::string checksum;
};

Status read_applied(soci::session& session, std::vector<AppliedMigration>& applied) {
  AppliedMigration row;
  soci::statement statement =
      (session.prepare << "SELECT version, name, checksum FROM schema_migration ORDER BY version",
       soci::into(row.version), soci::into(row.name), soci::into(row.checksum));
  statement.execute();
  while (statement.fetch()) applied.push_back(row);
  return {};
}

Status check_applied(const std::vector<AppliedMigration>& applied, std::span<const Migration> migrations) {
  if (applied.size() > migrations.size()) {
    return fail(Errc::unsupported, "state database has schema version " + std::to_string(applied.back().version) +
                                       ", made by a newer version of the program; this one knows up to " +
                                       std::to_string(migrations.size()));
  }
  for (size_t i = 0; i < applied.size(); ++i) {
    if (applied[i].version == migrations[i].version && applied[i].checksum == base::sha256_hex(migrations[i].sql))
      continue;
    return fail(Errc::corrupt, "state database: migration " + std::to_string(applied[i].version) + " '" +
                                   applied[i].name + "' is not the one this program has");
  }
  return {};
}

}  // namespace

PooledState::~PooledState() = default;

Status PooledState::open_sessions() {
  writer_ = std::make_unique<soci::session>();
  TRY_STATUS(open_session(*writer_, SessionRole::writer));
  for (auto& reader : readers_) {
    reader = std::make_unique<soci::session>();
    TRY_STATUS(open_session(*reader, SessionRole::reader));
    free_.push_back(reader.get());
  }
  return {};
}

// That a connection is gone shows when something is sent: nothing has been done in it yet.
Status PooledState::begin_transaction(soci::session& session, Transaction kind) {
  const Status begun = begin(session, kind);
  if (begun || begun.error().code != Errc::unavailable) return begun;
  TRY(const bool revived, revive(session));
  return revived ? begin(session, kind) : begun;
}

// The work between begin and commit; rolled back on an error.
Status PooledState::in_transaction(soci::session& session, Transaction kind,
                                   const std::function<Status(soci::session&)>& work) {
  TRY_STATUS(begin_transaction(session, kind));
  Status done = guard([&] { return work(session); });
  if (done) done = commit(session);
  if (done) return {};
  // The error of the work is what the caller has to see; the engine may have rolled back by itself already.
  (void)execute(session, "ROLLBACK;");
  return done;
}

Status PooledState::write(const std::function<Status(soci::session&)>& work) {
  return write_in(Transaction::write, work);
}

Status PooledState::write_soon(const std::function<Status(soci::session&)>& work) {
  return write_in(Transaction::write_soon, work);
}

Status PooledState::write_in(Transaction kind, const std::function<Status(soci::session&)>& work) {
  CHECK(writing_.load() != std::this_thread::get_id());  // a write inside a write would wait for itself
  const std::lock_guard lock(writer_mutex_);
  writing_ = std::this_thread::get_id();
  Status done = in_transaction(*writer_, kind, work);
  writing_ = std::thread::id{};
  return done;
}

Status PooledState::read(const std::function<Status(soci::session&)>& work) {
  TRY(soci::session * session, take_reader());
  Status done = in_transaction(*session, Transaction::read, work);
  const std::lock_guard lock(free_mutex_);
  free_.push_back(session);
  freed_.notify_one();
  return done;
}

Result<soci::session*> PooledState::take_reader() {
  std::unique_lock lock(free_mutex_);
  if (!freed_.wait_for(lock, kReaderWaitMax, [&] { return !free_.empty(); })) {
    return fail(Errc::exhausted, "state database: all readers are busy");
  }
  soci::session* session = free_.back();
  free_.pop_back();
  return session;
}

Status PooledState::apply_migration(soci::session& session, const Migration& migration) {
  TRY_STATUS(execute(session, translate(migration.sql)));
  const std::string name(migration.name);
  const std::string checksum = base::sha256_hex(migration.sql);
  const std::string applied = base::format_time(base::Time::now());
  session << "INSERT INTO schema_migration (version, name, checksum, applied) VALUES (:version, :name, :checksum, "
             ":applied)",
      soci::use(migration.version), soci::use(name), soci::use(checksum), soci::use(applied);
  return {};
}

Status PooledState::migrate(std::span<const Migration> migrations) {
  for (size_t i = 0; i < migrations.size(); ++i) CHECK(migrations[i].version == static_cast<int>(i) + 1);
  std::vector<AppliedMigration> applied;
  TRY_STATUS(write([&](soci::session& session) -> Status {
    session << "CREATE TABLE IF NOT EXISTS schema_migration (version INTEGER PRIMARY KEY, name TEXT NOT NULL,"
               " checksum TEXT NOT NULL, applied TEXT NOT NULL)";
    return read_applied(session, applied);
  }));
  TRY_STATUS(check_applied(applied, migrations));
  for (const Migration& migration : migrations.subspan(applied.size())) {
    TRY_STATUS(base::within("migration " + std::to_string(migration.version) + " '" + std::string(migration.name) + "'",
                            write([&](soci::session& session) { return apply_migration(session, migration); })));
  }
  return {};
}

}  // namespace redoubt::store
