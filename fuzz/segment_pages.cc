// Damaged segments: a Parquet file whose footer and pages are read without SQL. What is read stays within its bounds
// and its memory, whatever the file says.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <string>

#include "base/file.h"
#include "store/events/embedded/parquet_column.h"
#include "store/events/embedded/parquet_footer.h"

namespace {

namespace embedded = redoubt::store::embedded;
using embedded::ParquetColumn;
using redoubt::base::UniqueFd;

void read_column(const UniqueFd& file, const embedded::ParquetGroup& group, const embedded::ColumnPlace& place,
                 ParquetColumn::Kind kind) {
  if (place.values != group.rows) return;  // GroupColumns refuses these
  embedded::PageMemory memory;
  auto column = ParquetColumn::read(file, place, kind, memory);
  if (!column || !column->unpack_slots() || !column->unpack_values()) return;
  const size_t values = kind == ParquetColumn::Kind::texts ? column->texts().size() : column->numbers().size();
  if (column->slots().size() != group.rows) __builtin_trap();
  for (const uint32_t slot : column->slots()) {
    if (slot != embedded::kAbsent && slot >= values) __builtin_trap();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const UniqueFd file(memfd_create("segment", MFD_CLOEXEC));
  if (!file || write(file.get(), data, size) != static_cast<ssize_t>(size)) return 0;
  const auto footer = embedded::read_footer("/proc/self/fd/" + std::to_string(file.get()));
  if (!footer) return 0;
  for (const embedded::ParquetGroup& group : footer->groups) {
    for (const embedded::ColumnPlace& place : group.columns) {
      read_column(file, group, place, ParquetColumn::Kind::texts);
      read_column(file, group, place, ParquetColumn::Kind::numbers);
    }
  }
  return 0;
}
