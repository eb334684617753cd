#include "store/state/postgres_state.h"

#include <libpq-fe.h>
#include <soci/postgresql/soci-postgresql.h>
#include <soci/soci.h>

#include "base/file.h"
#include "store/state/pooled_state.h"

namespace redoubt::store {

namespace {

constexpr size_t kPasswordBytesMax = 4096;
constexpr int kConnectSecondsMax = 10;

// What SQLite's dialect has beside the standard, in a schema that is looked at last.
constexpr const char* kFunctionsSql = R"sql(
CREATE OR REPLACE FUNCTION last_insert_rowid() RETURNS bigint LANGUAGE sql AS 'SELECT lastval()';
CREATE OR REPLACE FUNCTION min(bigint, bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT least($1, $2)';
CREATE OR REPLACE FUNCTION max(bigint, bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT greatest($1, $2)';
)sql";

// The kind of an SQLSTATE: its class says most.
Errc errc_of_postgres(std::string_view state) {
  // Not of the server, then, but of a connection that is gone.
  if (state.find_first_not_of(std::string_view(" \0", 2)) == std::string_view::npos) return Errc::unavailable;
  const std::string_view group = state.substr(0, 2);
  if (group == "23") return Errc::already_exists;
  if (group == "08" || group == "57" || group == "40" || group == "55") return Errc::unavailable;
  if (group == "53") return Errc::exhausted;
  if (group == "28" || state == "42501") return Errc::permission_denied;
  if (group == "XX") return Errc::corrupt;
  if (group == "58") return Errc::io;
  return Errc::internal;
}

// libpq's messages end in a line feed, and go on in further lines.
std::string postgres_message(const char* message) {
  const std::string text = message != nullptr ? message : "";
  return text.substr(0, text.find('\n'));
}

// SOCI puts a line of its own before why a connection was not made; advice follows it.
std::string second_line(std::string_view text) {
  const size_t line = text.find('\n');
  if (line == std::string_view::npos) return std::string(text);
  text.remove_prefix(line + 1);
  return std::string(text.substr(0, text.find('\n')));
}

struct ClearResult {
  void operator()(PGresult* result) const { PQclear(result); }
};
struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};

std::string conninfo_quoted(std::string_view value) {
  std::string quoted = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "'";
}

// The keywords of the connection, checked, with those that we add.
Result<std::string> connection_string(const PostgresOptions& options) {
  char* message = nullptr;
  const std::unique_ptr<PQconninfoOption, FreeOptions> parsed(PQconninfoParse(options.connection.c_str(), &message));
  if (!parsed) {
    const std::string why = postgres_message(message);
    PQfreemem(message);
    return fail(Errc::invalid_argument, "connection to PostgreSQL: " + why);
  }
  std::string text = "connect_timeout=" + std::to_string(kConnectSecondsMax) + " application_name=redoubtd";
  for (const PQconninfoOption* option = parsed.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    if (std::string_view(option->keyword) == "password") {
      return fail(Errc::invalid_argument,
                  "connection to PostgreSQL: a password does not belong there; name a file that holds it");
    }
    text += " " + std::string(option->keyword) + "=" + conninfo_quoted(option->val);
  }
  if (options.password_file.empty()) return text;
  TRY(const std::string password, base::read_file(options.password_file, kPasswordBytesMax));
  return text + " password=" + conninfo_quoted(password.substr(0, password.find_first_of("\r\n")));
}

PGconn* connection_of(soci::session& session) {
  CHECK(session.get_backend_name() == "postgresql");
  return static_cast<soci::postgresql_session_backend*>(session.get_backend())->conn_;
}

class PostgresState final : public PooledState {
 public:
  explicit PostgresState(std::string connection) : connection_(std::move(connection)) {}

  Status open(std::span<const Migration> migrations) {
    TRY_STATUS(base::within("open state database in PostgreSQL", open_sessions()));
    TRY_STATUS(base::within("functions of the state database",
                            write([&](soci::session& session) { return execute(session, kFunctionsSql); })));
    return migrate(migrations);
  }

  Status backup(const std::string&) override {
    return fail(Errc::unsupported, "the state is in PostgreSQL, whose own tools back it up (pg_dump)");
  }

  // The server looks after its own pages; that it answers is what can be asked.
  Status verify() override {
    return read([](soci::session& session) -> Status {
      int count = 0;
      session << "SELECT count(*) FROM schema_migration", soci::into(count);
      return {};
    });
  }

 private:
  Status open_session(soci::session& session, SessionRole) override {
    return guard([&]() -> Status {
      session.open(soci::postgresql, connection_);
      return settle(session);
    });
  }

  // Durable when a commit returns, whatever the server's own setting.
  Status settle(soci::session& session) {
    return execute(session, "SET synchronous_commit=on; SET client_min_messages=warning; SET timezone='UTC';");
  }

  Status begin(soci::session& session, Transaction kind) override {
    switch (kind) {
      case Transaction::write: return execute(session, "BEGIN;");
      case Transaction::write_soon: return execute(session, "BEGIN; SET LOCAL synchronous_commit=off;");
      case Transaction::read: return execute(session, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;");
    }
    return fail(Errc::internal, "no such transaction");
  }

  Status commit(soci::session& session) override { return execute(session, "COMMIT;"); }

  Status execute(soci::session& session, const std::string& sql) override {
    const std::unique_ptr<PGresult, ClearResult> result(PQexec(connection_of(session), sql.c_str()));
    const ExecStatusType status = PQresultStatus(result.get());
    const char* message = PQerrorMessage(connection_of(session));
    // A transaction that failed ends in a rollback also when it is told to commit.
    if (status == PGRES_COMMAND_OK && sql == "COMMIT;" && std::string_view(PQcmdStatus(result.get())) != "COMMIT") {
      return fail(Errc::internal, "the transaction was rolled back");
    }
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return {};
    const char* state = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
    return fail(errc_of_postgres(state != nullptr ? state : ""), postgres_message(message));
  }

  Status guard(const std::function<Status()>& work) override {
    try {
      return work();
    } catch (const soci::postgresql_soci_error& error) {
      return fail(errc_of_postgres(error.sqlstate()), postgres_message(error.what()));
    } catch (const std::exception& error) {
      const bool unconnected = std::string_view(error.what()).starts_with("Cannot establish connection");
      if (unconnected) return fail(Errc::unavailable, second_line(error.what()));
      return fail(Errc::internal, postgres_message(error.what()));
    }
  }

  Result<bool> revive(soci::session& session) override {
    PQreset(connection_of(session));
    if (PQstatus(connection_of(session)) != CONNECTION_OK) {
      return fail(Errc::unavailable, "state database: " + postgres_message(PQerrorMessage(connection_of(session))));
    }
    TRY_STATUS(settle(session));
    return true;
  }

  std::string translate(std::string_view sql) const override { return postgres_sql_of(sql); }

  const std::string connection_;
};

}  // namespace

std::string postgres_sql_of(std::string_view sqlite_sql) {
  std::string sql(sqlite_sql);
  const auto replace = [&](std::string_view from, std::string_view to) {
    for (size_t at = sql.find(from); at != std::string::npos; at = sql.find(from, at + to.size())) {
      sql.replace(at, from.size(), to);
    }
  };
  replace("INTEGER PRIMARY KEY AUTOINCREMENT", "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY");
  replace("INTEGER PRIMARY KEY", "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY");
  replace(" WITHOUT ROWID", "");
  return sql;
}

Result<std::unique_ptr<StateDb>> open_postgres_state(const PostgresOptions& options,
                                                     std::span<const Migration> migrations) {
  TRY(std::string connection, connection_string(options));
  auto state = std::make_unique<PostgresState>(std::move(connection));
  TRY_STATUS(state->open(migrations));
  return state;
}

}  // namespace redoubt::store
