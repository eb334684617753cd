#include <fcntl.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>
#include <array>
#include <memory>

#include "base/file.h"
#include "store/state/pooled_state.h"
#include "store/state/sqlite_session.h"

namespace redoubt::store {

namespace {

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

class SqliteState final : public PooledState {
 public:
  explicit SqliteState(std::string path) : path_(std::move(path)) {}

  Status open() { return base::within("open state database " + path_, open_sessions()); }
  using PooledState::migrate;

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
  Status open_session(soci::session& session, SessionRole role) override {
    return guard([&]() -> Status {
      session.open(sqlite_sessions(), "dbname=\"" + path_ + "\" timeout=10");
      TRY_STATUS(execute_script(session,
                                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
                                "PRAGMA temp_store=MEMORY; PRAGMA trusted_schema=OFF;"));
      return role == SessionRole::reader ? execute_script(session, "PRAGMA query_only=ON;") : Status{};
    });
  }

  Status begin(soci::session& session, Transaction kind) override {
    if (kind == Transaction::read) return run(session, "BEGIN");
    if (kind != writer_syncs_for_) {
      const char* synchronous = kind == Transaction::write ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL";
      TRY_STATUS(execute_script(session, synchronous));
      writer_syncs_for_ = kind;
    }
    return run(session, "BEGIN IMMEDIATE");
  }

  Status commit(soci::session& session) override { return run(session, "COMMIT"); }

  // A statement that stays prepared; a PRAGMA would take effect the first time only.
  Status run(soci::session& session, const char* statement) {
    return guard([&]() -> Status {
      session << statement;
      return {};
    });
  }

  Status execute(soci::session& session, const std::string& sql) override { return execute_script(session, sql); }

  Status guard(const std::function<Status()>& work) override {
    try {
      return work();
    } catch (const soci::sqlite3_soci_error& error) {
      return fail(errc_of_sqlite(error.result()), error.what());
    } catch (const std::exception& error) {
      return fail(Errc::internal, error.what());
    }
  }

  const std::string path_;
  Transaction writer_syncs_for_ = Transaction::write;  // the writer's PRAGMA synchronous; the writer's thread has it
};

// SQLite would make an empty one.
Status refuse_absent(const std::string& path) {
  if (access(path.c_str(), F_OK) == 0) return {};
  return fail(Errc::not_found, path + " is not there; a state in PostgreSQL is looked after with PostgreSQL's tools");
}

}  // namespace

Status backup_sqlite_state(const std::string& path, const std::string& to) {
  TRY_STATUS(refuse_absent(path));
  SqliteState state(path);
  TRY_STATUS(state.open());
  return state.backup(to);
}

Status verify_sqlite_state(const std::string& path) {
  TRY_STATUS(refuse_absent(path));
  SqliteState state(path);
  TRY_STATUS(state.open());
  return state.verify();
}

Result<std::unique_ptr<StateDb>> open_sqlite_state(const std::string& path, std::span<const Migration> migrations) {
  if (path.find('"') != std::string::npos)
    return fail(Errc::invalid_argument, "state database path has a quote: " + path);
  TRY_STATUS(make_private(path));
  auto state = std::make_unique<SqliteState>(path);
  TRY_STATUS(state->open());
  TRY_STATUS(state->migrate(migrations));
  return state;
}

}  // namespace redoubt::store
