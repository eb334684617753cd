// DuckDB in memory, as the embedded event store uses it: opened locked down, sessions that run SQL and fetch rows, and
// memtables shown to SQL. The C API stays in the .cc files. A Duck is safe from any thread; a session belongs to one
// thread at a time, but for interrupt().
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "query/sql/sql.h"
#include "store/events/embedded/memory_functions.h"
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
  // Calls `each` with one row after the other, without keeping them.
  virtual Status each_row(const query::sql::Statement& statement,
                          const std::function<void(const std::vector<Cell>&)>& each) = 0;
  // Ends what the session runs; from any thread.
  virtual void interrupt() = 0;
};

// Something in memory that SQL sees as `name()`, as long as this lives.
class ShownThing {
 public:
  virtual ~ShownThing() = default;
  virtual const std::string& name() const = 0;
};

class Duck {
 public:
  virtual ~Duck() = default;
  virtual Result<std::unique_ptr<DuckSession>> connect() = 0;
  // A table of one column a field, kLineColumn and kRowColumn.
  virtual std::shared_ptr<const ShownThing> show(ShownRows rows) = 0;
  // A number: the first argument of redoubt_marked().
  virtual std::shared_ptr<const ShownThing> show(Marks marks) = 0;

  static Result<std::unique_ptr<Duck>> open(const DuckOptions& options);
};

// 'text' with its quotes doubled.
std::string sql_quoted(std::string_view text);

// Registers the functions of query/sql/sql.h; `connection` is a duckdb_connection.
Status register_functions(void* connection);

}  // namespace redoubt::store::embedded
