// What SQL sees of memory: the table function redoubt_rows(n), the rows of a memtable that were shown under the number
// n, read where they are, one column a field and two more; and redoubt_marked(n, x), whether the set shown under the
// number n has x. Any thread.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/events/embedded/memtable.h"

namespace redoubt::store::embedded {

// The columns beside the fields: the number of the text of the command line, that of the row in the memtable or where
// it is from, and the part of a view that it is of.
constexpr std::string_view kLineColumn = "command_line_number";
constexpr std::string_view kRowColumn = "file_row_number";  // as read_parquet() calls it
constexpr std::string_view kPartColumn = "part";
constexpr event::Field kLineField = event::Field::process_command_line;

// Where a row of a memtable is from.
struct RowPlace {
  int64_t part = 0;
  int64_t row = 0;
};

// The first `rows` rows of a memtable.
struct ShownRows {
  std::shared_ptr<const Memtable> table;
  size_t rows = 0;
  std::vector<RowPlace> places;           // of the rows, where they are copies
  std::optional<event::FieldSet> fields;  // that have columns; nothing: all
};

// Which numbers are in a set, from zero on.
using Marks = std::vector<bool>;

// What is shown to SQL, by number.
template <class Thing>
class Shown {
 public:
  uint64_t add(Thing thing) {
    const std::lock_guard lock(mutex_);
    things_[next_] = std::make_shared<const Thing>(std::move(thing));
    return next_++;
  }
  void remove(uint64_t number) {
    const std::lock_guard lock(mutex_);
    things_.erase(number);
  }
  // Null where there is none.
  std::shared_ptr<const Thing> find(uint64_t number) {
    const std::lock_guard lock(mutex_);
    const auto found = things_.find(number);
    return found != things_.end() ? found->second : nullptr;
  }

 private:
  std::mutex mutex_;
  uint64_t next_ = 1;
  std::map<uint64_t, std::shared_ptr<const Thing>> things_;
};

// `connection` is a duckdb_connection; what is shown must outlive its database.
Status register_row_function(void* connection, Shown<ShownRows>& rows);
Status register_mark_function(void* connection, Shown<Marks>& marks);

}  // namespace redoubt::store::embedded
