// Other ways to keep the same events, for comparison with the event store: a DuckDB database, Parquet files in the
// order of arrival, SQLite with indexes. Each has one column a field that occurs. A failure ends the program. One
// thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bench/generator.h"

namespace redoubt::bench {

class StorePeer {
 public:
  virtual ~StorePeer() = default;
  virtual std::string name() const = 0;
  // Committed on return where the peer commits at all, at latest after finish().
  virtual void take(const std::vector<Generated>& frames) = 0;
  virtual void finish() = 0;
  // On disk.
  virtual uint64_t bytes() const = 0;
  // Runs a SELECT over the table `events` to its end; its rows.
  virtual uint64_t query(const std::string& sql) = 0;
};

// Write-ahead log, 10,000 rows a transaction, few checkpoints: the settings in which it is fastest.
std::unique_ptr<StorePeer> make_duckdb_native(const std::string& directory, std::vector<event::Field> columns);
// One file for every 250,000 events, zstd.
std::unique_ptr<StorePeer> make_naive_parquet(const std::string& directory, std::vector<event::Field> columns);
// Write-ahead log with full sync, nine indexes, and a trigram index over command lines.
std::unique_ptr<StorePeer> make_sqlite(const std::string& directory, std::vector<event::Field> columns);

}  // namespace redoubt::bench
