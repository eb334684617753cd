// Rows of a memtable as a Parquet file. A column is optional, INT64 or a UTF-8 text, and has one page a row group,
// packed with zstd; where few of its values are distinct they are in a dictionary. The memtable has numbered its texts
// already, so that no text is looked up. Format: github.com/apache/parquet-format
#pragma once

#include <span>
#include <string>

#include "base/result.h"
#include "store/events/embedded/memtable.h"

namespace redoubt::store::embedded {

struct ParquetShape {
  uint32_t group_rows;
  uint32_t dictionary_values_max;  // distinct values of a row group
};

// The fields of the rows, in their order, into a new file that is on the disk then; what the path had is replaced.
Status write_parquet(const Memtable& table, std::span<const uint32_t> rows, const event::FieldSet& fields,
                     const ParquetShape& shape, const std::string& path);

}  // namespace redoubt::store::embedded
