// DuckDB in memory, as the embedded event store uses it: opened locked down, sessions that run SQL and fetch rows, and
// the filling of a table with events. The C API stays in the .cc files. A Duck is safe from any thread; a session or
// filler belongs to one thread at a time, but for interrupt().
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "event/batch.h"
#include "query/sql/sql.h"
#include "store/events/event_store.h"

namespace redoubt::store::embedded {

struct DuckOptions {
  std::string segment_directory;    // the only places SQL may touch
  std::string temporary_directory;  // for sorts that outgrow the memory
  uint64_t memory_bytes_max = 0;
  unsigned threads = 1;
};

// What a SELECT gave.
struct Rows {
  std::vector<std::string> columns;
  std::vector<std::vector<Cell>> rows;
};

// Errors: timeout where it was interrupted, exhausted where memory did not suffice, else internal.
class DuckSession {
 public:
  virtual ~DuckSession() = default;
  virtual Status run(const std::string& sql) = 0;
  virtual Result<Rows> select(const query::sql::Statement& statement) = 0;
  // Ends what the session runs; from any thread.
  virtual void interrupt() = 0;
};

// Appends events to a table that has one column a field, in table order.
class TableFiller {
 public:
  virtual ~TableFiller() = default;
  // host_id and boot_id are what the link vouches for: they stand over what the event says of itself.
  virtual Status add(const event::Row& row, std::string_view host_id, std::string_view boot_id) = 0;
  // Everything added is seen by SELECTs that start after this.
  virtual Status flush() = 0;
};

class Duck {
 public:
  virtual ~Duck() = default;
  virtual Result<std::unique_ptr<DuckSession>> connect() = 0;
  virtual Result<std::unique_ptr<TableFiller>> fill(const std::string& table) = 0;

  static Result<std::unique_ptr<Duck>> open(const DuckOptions& options);
};

// 'text' with its quotes doubled.
std::string sql_quoted(std::string_view text);

// Registers the functions of query/sql/sql.h; `connection` is a duckdb_connection.
Status register_functions(void* connection);

}  // namespace redoubt::store::embedded
