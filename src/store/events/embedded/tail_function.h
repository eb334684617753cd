// The table function redoubt_rows(n) of DuckDB: the rows of a memtable that were shown under the number n, one column a
// field, read where they are. Any thread.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/events/embedded/memtable.h"

namespace redoubt::store::embedded {

// The first `rows` rows of a memtable, or those of `order` in that order.
struct ShownRows {
  std::shared_ptr<const Memtable> table;
  size_t rows = 0;
  std::vector<uint32_t> order;
};

// What is shown to SQL, by number.
class ShownTables {
 public:
  uint64_t add(ShownRows rows);
  void remove(uint64_t number);
  std::shared_ptr<const ShownRows> find(uint64_t number);

 private:
  std::mutex mutex_;
  uint64_t next_ = 1;
  std::map<uint64_t, std::shared_ptr<const ShownRows>> shown_;
};

// `connection` is a duckdb_connection; the tables must outlive its database.
Status register_tail_function(void* connection, ShownTables& tables);

}  // namespace redoubt::store::embedded
