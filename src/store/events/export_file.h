// What an export has in it, whatever the engine: SQL of DuckDB, which writes the file. Any thread.
#pragma once

#include <string>
#include <string_view>

#include "query/hunt.h"
#include "store/events/store_report.h"

namespace redoubt::store {

bool shows_events(const query::Hunt& hunt);
// Events without an order of their own are not sorted: all of a store would not fit the memory.
bool is_sorted(const query::Hunt& hunt);
// As the file has them, of a source with the columns of a hunt's SQL.
std::string columns_of_file(const query::Hunt& hunt, ExportFormat format);
std::string_view options_of(ExportFormat format);

// The file that was written, which loses its name.
Result<base::UniqueFd> take_file(const std::string& path, uint64_t& bytes);
// Room for events goes before room for exports.
bool is_disk_low(const std::string& directory, uint64_t free_bytes_min);

}  // namespace redoubt::store
