// The state in a PostgreSQL database instead of a file: for sites that have one that is looked after. The same SQL runs
// on both: migrations are translated, and functions that PostgreSQL has under other names are made in the schema. Any
// thread.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "store/state/state_db.h"

namespace redoubt::store {

struct PostgresOptions {
  // libpq's: "host=/run/postgresql dbname=redoubt user=redoubt", or a postgresql:// URI. A password in it is refused:
  // it would stand in process lists and logs.
  std::string connection;
  std::string
      password_file;  // its first line; empty: what libpq finds (PGPASSFILE, PGPASSWORD, a certificate), or none
};

// Connects and applies the migrations that the database lacks. unavailable where there is no server; then and later a
// connection that broke is made again by the next call.
Result<std::unique_ptr<StateDb>> open_postgres_state(const PostgresOptions& options,
                                                     std::span<const Migration> migrations);

// The migration as PostgreSQL understands it.
std::string postgres_sql_of(std::string_view sqlite_sql);

}  // namespace redoubt::store
