// Writes rows of a memtable as a segment: a Parquet file, zstd, with the columns that occur; and its index. Any thread.
#pragma once

#include <string>

#include "store/events/embedded/manifest.h"
#include "store/events/embedded/memtable.h"

namespace redoubt::store::embedded {

// Rows of the table as they are sorted in a segment: by host; those of a host by time, in stretches of no more than a
// row group; in a stretch by parent, process, time and sequence.
std::vector<uint32_t> sorted_rows(const Memtable& table, std::vector<uint32_t> rows);

std::string index_path(const std::string& segment_path);

// Rows of the table, in the order given, which has one at least. The files have their names only when they are whole
// and on the disk. `number` of the result is that given; `sealed_us` is now.
Result<SegmentInfo> write_segment(const Memtable& table, const std::vector<uint32_t>& rows, uint64_t number,
                                  const std::string& path);

}  // namespace redoubt::store::embedded
