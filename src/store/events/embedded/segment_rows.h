// Single rows of a segment without SQL, which would unpack every column of their row groups into vectors. One thread.
#pragma once

#include <map>
#include <span>

#include "store/events/embedded/parquet_column.h"
#include "store/events/embedded/row_source.h"
#include "store/events/embedded/view.h"

namespace redoubt::store::embedded {

// The file of a segment, open for as long as it is read.
class SegmentFile {
 public:
  // Errors: unsupported where only SQL can read it, corrupt.
  static Result<SegmentFile> open(const Segment& segment);

  const ParquetFooter& footer() const { return *footer_; }
  const base::UniqueFd& file() const { return file_; }

 private:
  SegmentFile(base::UniqueFd file, const ParquetFooter& footer) : file_(std::move(file)), footer_(&footer) {}
  base::UniqueFd file_;
  const ParquetFooter* footer_;
};

// Whether one of the ranges has rows of the group; no ranges: all rows.
bool in_ranges(const ParquetGroup& group, const std::vector<RowRange>& ranges);

// The columns of one row group, each read when it is first asked for. The file must outlive it, and the memory is its
// own until the next one is made.
class GroupColumns final : public RowSource {
 public:
  GroupColumns(const SegmentFile& file, size_t group, PageMemory& memory)
      : file_(file), group_(file.footer().groups[group]), memory_(memory) {
    memory_.reuse();
  }

  const ParquetGroup& group() const { return group_; }
  // Null where the segment has no column of the field.
  Result<ParquetColumn*> column(event::Field field);
  Result<std::vector<uint32_t>> passing(event::Field field, query::TextCheck& check) override;
  Result<std::vector<uint32_t>> passing_of(std::span<const uint32_t> rows, event::Field field,
                                           query::TextCheck& check) override;
  Status read(const std::vector<event::Field>& fields, std::span<const uint32_t> rows,
              std::span<std::vector<Cell>> cells) override;

 private:
  const SegmentFile& file_;
  const ParquetGroup& group_;
  PageMemory& memory_;
  std::map<event::Field, ParquetColumn> columns_;
};

// The rows at the places, ascending: the fields, then the place. `go_on` is asked before each row group.
Result<Rows> read_rows(const Segment& segment, const std::vector<event::Field>& fields,
                       std::span<const uint64_t> places, PageMemory& memory, const std::function<Status()>& go_on);

}  // namespace redoubt::store::embedded
