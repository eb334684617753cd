// Results of ClickHouse in its format Native: blocks of columns with names and types. Bytes of a server, read with
// bounds. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/events/event_store.h"

namespace redoubt::store::clickhouse {

struct Table {
  std::vector<std::string> names;
  std::vector<std::vector<Cell>> rows;
};

// Texts and whole numbers, also Nullable; unsupported for other types, corrupt for what is torn.
Result<Table> read_native(std::string_view bytes);

}  // namespace redoubt::store::clickhouse
