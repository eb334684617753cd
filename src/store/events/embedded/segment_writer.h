// Writes rows of a memtable as a segment: a Parquet file, zstd, sorted by host, time and sequence, with the columns
// that occur. Any thread.
#pragma once

#include <string>

#include "store/events/embedded/duck.h"
#include "store/events/embedded/manifest.h"

namespace redoubt::store::embedded {

// Rows of the table by host, time and sequence.
std::vector<uint32_t> sorted_rows(const Memtable& table, std::vector<uint32_t> rows);

// The file has its name only when it is whole and on the disk. `number` of the result is that given; `sealed_us` is
// now.
Result<SegmentInfo> write_segment(Duck& duck, ShownRows rows, uint64_t number, const std::string& path);

}  // namespace redoubt::store::embedded
