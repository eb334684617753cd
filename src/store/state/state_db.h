// The state database: alerts, hosts, users, objects, audit: everything that is changed rather than appended. SQL
// through SOCI, which stays in the .cc files that include soci.h themselves; this header only hands out sessions and
// migrates the schema. Many readers, one writer at a time. Any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace soci {
class session;
}

namespace redoubt::store {

// One step of the schema, applied once, in order; never changed after a release.
struct Migration {
  int version;  // from 1, no gaps
  std::string_view name;
  std::string_view sql;  // statements, separated by ';'
};

class StateDb {
 public:
  virtual ~StateDb() = default;
  // Runs `work` in a transaction on the writer session (BEGIN IMMEDIATE); an error or exception rolls back. Durable on
  // return. Exceptions of SOCI become errors.
  virtual Status write(const std::function<Status(soci::session&)>& work) = 0;
  // The same for what can be made again: all see it on return and it survives the end of this process, that of the
  // machine only once a later write() is durable.
  virtual Status write_soon(const std::function<Status(soci::session&)>& work) = 0;
  // Runs `work` on a reader session of a pool.
  virtual Status read(const std::function<Status(soci::session&)>& work) = 0;
  // Writes it as it is now to a database at a path where there is nothing. Others read and write meanwhile.
  virtual Status backup(const std::string& path) = 0;
  // Reads all of it; corrupt where it is damaged.
  virtual Status verify() = 0;
};

// Opens (or makes, mode 0600) the SQLite database and applies the migrations it lacks.
Result<std::unique_ptr<StateDb>> open_sqlite_state(const std::string& path, std::span<const Migration> migrations);
// Copies a database that nothing has open, whatever its schema.
Status backup_sqlite_state(const std::string& path, const std::string& to);
// Reads all of a database that nothing has open, whatever its schema.
Status verify_sqlite_state(const std::string& path);

}  // namespace redoubt::store
