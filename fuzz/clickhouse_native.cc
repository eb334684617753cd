// Answers as a ClickHouse server, or who poses as one, may send them: what is read is a table, no larger than its bytes
// allow.
#include <cstdint>
#include <string_view>

#include "store/events/clickhouse/native.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto table = redoubt::store::clickhouse::read_native({reinterpret_cast<const char*>(data), size});
  if (!table) return 0;
  if (table->rows.size() > size) __builtin_trap();
  for (const auto& row : table->rows) {
    if (row.size() != table->names.size()) __builtin_trap();
  }
  return 0;
}
