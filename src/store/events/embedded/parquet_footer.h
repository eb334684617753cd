// Where the columns of a segment's Parquet file are, as far as reading single values needs it. Any thread.
// Format: github.com/apache/parquet-format
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"
#include "event/field.h"

namespace redoubt::store::embedded {

// The pages of one column in one row group.
struct ColumnPlace {
  uint64_t offset = 0;
  uint32_t bytes = 0;
  uint32_t values = 0;  // absent ones counted
};

struct ParquetGroup {
  uint64_t first_row = 0;
  uint32_t rows = 0;
  std::vector<ColumnPlace> columns;  // by ParquetFooter::column_of
};

constexpr uint16_t kNoColumn = UINT16_MAX;

struct ParquetFooter {
  uint64_t file_bytes = 0;
  std::array<uint16_t, event::kFieldCount> column_of{};  // kNoColumn: none
  std::vector<ParquetGroup> groups;

  // The group that has the row; groups.size(): none has.
  size_t group_of(uint64_t row) const;
};

// Fills `into` with the bytes of the file from `offset` on; corrupt where it is shorter.
Status read_at(const base::UniqueFd& file, uint64_t offset, std::span<char> into);

// Errors: unsupported for a file that is not as segments are written here, corrupt.
Result<ParquetFooter> read_footer(const std::string& path);

}  // namespace redoubt::store::embedded
