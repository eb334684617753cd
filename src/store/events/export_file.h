// What an export has in it, whatever the engine: SQL of DuckDB, which writes the file. Any thread.
#pragma once

#include <atomic>
#include <string>
#include <string_view>
#include <vector>

#include "query/hunt.h"
#include "store/events/event_store.h"

namespace redoubt::store {

bool shows_events(const query::Hunt& hunt);
// Events without an order of their own are not sorted: all of a store would not fit the memory.
bool is_sorted(const query::Hunt& hunt);
// The hunt that a file shows: everything, where no limit was written.
query::Hunt without_limit(const query::Hunt& asked);
// As the file has them, of a source with the columns of a hunt's SQL.
std::string columns_of_file(const query::Hunt& hunt, ExportFormat format);
std::string_view options_of(ExportFormat format);

// The file that was written, which loses its name.
Result<base::UniqueFd> take_file(const std::string& path, uint64_t& bytes);
// Room for events goes before room for exports.
bool is_disk_low(const std::string& directory, uint64_t free_bytes_min);

// The caller's limits, and those of the file while it is written. One export; limits() may be asked from any thread.
class ExportGuard {
 public:
  struct Place {
    std::string directory;           // of the store
    uint64_t free_bytes_min = 0;     // that its disk keeps
    std::vector<std::string> files;  // that are written
  };
  ExportGuard(const HuntLimits& limits, Place place);
  ExportGuard(const ExportGuard&) = delete;
  ExportGuard& operator=(const ExportGuard&) = delete;

  const HuntLimits& limits() const { return guarded_; }
  // What ended the export, where the store says `error`.
  Error ended_by(Error error) const;
  // Of the file when it is whole.
  Status check_size(uint64_t bytes) const;

 private:
  bool must_end();
  Error too_large() const;

  const HuntLimits& asked_;
  const Place place_;
  HuntLimits guarded_;
  std::atomic<bool> disk_low_ = false;
  std::atomic<bool> grew_too_large_ = false;
};

}  // namespace redoubt::store
