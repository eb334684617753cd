// Numbers as Parquet packs them (format: github.com/apache/parquet-format, Encodings.md). Bounds-checked; nothing where
// the bytes do not hold what is asked for. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace redoubt::store::embedded {

// `count` numbers of `width` bits: runs of equal ones and stretches of packed ones (RLE/bit-packing hybrid).
std::optional<std::vector<uint32_t>> unpack_runs(std::string_view bytes, unsigned width, size_t count);

// Of DELTA_BINARY_PACKED, exactly `count`; takes what it reads off `bytes`.
std::optional<std::vector<int64_t>> unpack_deltas(std::string_view& bytes, size_t count);

}  // namespace redoubt::store::embedded
