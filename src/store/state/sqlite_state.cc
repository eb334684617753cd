#include <fcntl.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <sys/stat.h>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/file.h"
#include "base/hash.h"
#include "base/time.h"
#include "store/state/state_db.h"

namespace redoubt::store {

namespace {

constexpr size_t kReaderSessions = 4;
constexpr auto kReaderWaitMax = std::chrono::seconds(30);
constexpr int kSqlitePrimaryCode = 0xff;

// The kind of an SQLite result code; the low byte is the primary code, the rest tells how it came to be.
Errc errc_of_sqlite(int result) {
  switch (result & kSqlitePrimaryCode) {
    case SQLITE_CONSTRAINT: return Errc::already_exists;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return Errc::unavailable;
    case SQLITE_FULL: return Errc::exhausted;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return Errc::corrupt;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY: return Errc::io;
    default: return Errc::internal;
  }
}

// Runs `work`; an exception of SOCI becomes an error.
template <class Work>
Status without_exceptions(Work work) {
  try {
    return work();
  } catch (const soci::sqlite3_soci_error& error) {
    return fail(errc_of_sqlite(error.result()), error.what());
  } catch (const std::exception& error) {
    return fail(Errc::internal, error.what());
  }
}

// Runs statements separated by ';' as they stand: no parameters, so that ':' in them stays what it is.
Status execute_script(soci::session& session, const std::string& sql) {
  CHECK(session.get_backend_name() == "sqlite3");  // the library hides the type's run-time information
  auto* backend = static_cast<soci::sqlite3_session_backend*>(session.get_backend());
  char* message = nullptr;
  const int result = sqlite_api::sqlite3_exec(backend->conn_, sql.c_str(), nullptr, nullptr, &message);
  if (result == SQLITE_OK) return {};
  std::string text = message != nullptr ? message : "sqlite error " + std::to_string(result);
  sqlite_api::sqlite3_free(message);
  return fail(errc_of_sqlite(result), std::move(text));
}

enum class SessionRole { writer, reader };

Status open_session(soci::session& session, const std::string& path, SessionRole role) {
  return without_exceptions([&]() -> Status {
    session.open(soci::sqlite3, "dbname=\"" + path + "\" timeout=10");
    TRY_STATUS(execute_script(session,
                              "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
                              "PRAGMA temp_store=MEMORY; PRAGMA trusted_schema=OFF;"));
    return role == SessionRole::reader ? execute_script(session, "PRAGMA query_only=ON;") : Status{};
  });
}

// The work between begin and commit; rolled back on an error.
Status in_transaction(soci::session& session, const std::string& begin,
                      const std::function<Status(soci::session&)>& work) {
  TRY_STATUS(execute_script(session, begin));
  Status done = without_exceptions([&] { return work(session); });
  if (done) done = execute_script(session, "COMMIT;");
  if (done) return {};
  // The error of the work is what the caller has to see; SQLite may have rolled back by itself already.
  (void)execute_script(session, "ROLLBACK;");
  return done;
}

// SQLite makes its files with the umask's mode and gives journal files the mode of the database.
Status make_private(const std::string& path) {
  const base::UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, base::kPrivateFile));
  if (!fd || fchmod(fd.get(), base::kPrivateFile) != 0) return base::fail_errno("open state database " + path);
  return {};
}

struct CloseDatabase {
  void operator()(sqlite_api::sqlite3* database) const { sqlite_api::sqlite3_close(database); }
};

// In one go: with pauses a writer would make it begin again.
Status copy_database(soci::session& session, const std::string& path) {
  auto* backend = static_cast<soci::sqlite3_session_backend*>(session.get_backend());
  TRY_STATUS(make_private(path));
  sqlite_api::sqlite3* raw = nullptr;
  const int opened = sqlite_api::sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE, nullptr);
  const std::unique_ptr<sqlite_api::sqlite3, CloseDatabase> target(raw);
  if (opened != SQLITE_OK) return fail(errc_of_sqlite(opened), "open " + path);
  sqlite_api::sqlite3_backup* copy = sqlite_api::sqlite3_backup_init(raw, "main", backend->conn_, "main");
  if (copy == nullptr) return fail(Errc::internal, "copy to " + path + ": " + sqlite_api::sqlite3_errmsg(raw));
  const int stepped = sqlite_api::sqlite3_backup_step(copy, -1);
  const int finished = sqlite_api::sqlite3_backup_finish(copy);
  if (stepped == SQLITE_DONE && finished == SQLITE_OK) return {};
  const int result = stepped == SQLITE_DONE ? finished : stepped;
  return fail(errc_of_sqlite(result), "copy to " + path + ": " + sqlite_api::sqlite3_errstr(result));
}

class SqliteState final : public StateDb {
 public:
  Status open(const std::string& path) {
    TRY_STATUS(within("open state database " + path, open_session(writer_, path, SessionRole::writer)));
    for (auto& reader : readers_) {
      reader = std::make_unique<soci::session>();
      TRY_STATUS(within("open state database " + path, open_session(*reader, path, SessionRole::reader)));
      free_.push_back(reader.get());
    }
    return {};
  }

  Status write(const std::function<Status(soci::session&)>& work) override {
    CHECK(writing_.load() != std::this_thread::get_id());  // a write inside a write would wait for itself
    const std::lock_guard lock(writer_mutex_);
    writing_ = std::this_thread::get_id();
    Status done = in_transaction(writer_, "BEGIN IMMEDIATE;", work);
    writing_ = std::thread::id{};
    return done;
  }

  // A transaction too, so that several statements see one state.
  Status read(const std::function<Status(soci::session&)>& work) override {
    TRY(soci::session * session, take_reader());
    Status done = in_transaction(*session, "BEGIN;", work);
    const std::lock_guard lock(free_mutex_);
    free_.push_back(session);
    freed_.notify_one();
    return done;
  }

  Status backup(const std::string& path) override {
    return read([&](soci::session& session) { return copy_database(session, path); });
  }

  Status verify() override {
    return read([](soci::session& session) -> Status {
      std::string first;
      session << "PRAGMA integrity_check(1)", soci::into(first);
      return first == "ok" ? Status{} : fail(Errc::corrupt, first);
    });
  }

 private:
  Result<soci::session*> take_reader() {
    std::unique_lock lock(free_mutex_);
    if (!freed_.wait_for(lock, kReaderWaitMax, [&] { return !free_.empty(); })) {
      return fail(Errc::exhausted, "state database: all readers are busy");
    }
    soci::session* session = free_.back();
    free_.pop_back();
    return session;
  }

  std::mutex writer_mutex_;
  std::atomic<std::thread::id> writing_;
  soci::session writer_;
  std::mutex free_mutex_;
  std::condition_variable freed_;
  std::vector<soci::session*> free_;
  std::array<std::unique_ptr<soci::session>, kReaderSessions> readers_;
};

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

// The program's list must begin with what the database has.
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

Status apply_migration(soci::session& session, const Migration& migration) {
  TRY_STATUS(execute_script(session, std::string(migration.sql)));
  const std::string name(migration.name);
  const std::string checksum = base::sha256_hex(migration.sql);
  const std::string applied = base::format_time(base::Time::now());
  session << "INSERT INTO schema_migration (version, name, checksum, applied) VALUES (:version, :name, :checksum, "
             ":applied)",
      soci::use(migration.version), soci::use(name), soci::use(checksum), soci::use(applied);
  return {};
}

Status migrate(StateDb& db, std::span<const Migration> migrations) {
  for (size_t i = 0; i < migrations.size(); ++i) CHECK(migrations[i].version == static_cast<int>(i) + 1);
  std::vector<AppliedMigration> applied;
  TRY_STATUS(db.write([&](soci::session& session) -> Status {
    session << "CREATE TABLE IF NOT EXISTS schema_migration (version INTEGER PRIMARY KEY, name TEXT NOT NULL,"
               " checksum TEXT NOT NULL, applied TEXT NOT NULL)";
    return read_applied(session, applied);
  }));
  TRY_STATUS(check_applied(applied, migrations));
  for (const Migration& migration : migrations.subspan(applied.size())) {
    TRY_STATUS(within("migration " + std::to_string(migration.version) + " '" + std::string(migration.name) + "'",
                      db.write([&](soci::session& session) { return apply_migration(session, migration); })));
  }
  return {};
}

}  // namespace

Status backup_sqlite_state(const std::string& path, const std::string& to) {
  SqliteState state;
  TRY_STATUS(state.open(path));
  return state.backup(to);
}

Status verify_sqlite_state(const std::string& path) {
  SqliteState state;
  TRY_STATUS(state.open(path));
  return state.verify();
}

Result<std::unique_ptr<StateDb>> open_sqlite_state(const std::string& path, std::span<const Migration> migrations) {
  if (path.find('"') != std::string::npos)
    return fail(Errc::invalid_argument, "state database path has a quote: " + path);
  TRY_STATUS(make_private(path));
  auto state = std::make_unique<SqliteState>();
  TRY_STATUS(state->open(path));
  TRY_STATUS(migrate(*state, migrations));
  return state;
}

}  // namespace redoubt::store
