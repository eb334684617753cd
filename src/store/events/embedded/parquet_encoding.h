// Numbers as Parquet packs them (format: github.com/apache/parquet-format, Encodings.md). Reading is bounds-checked:
// nothing where the bytes do not hold what is asked for. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace redoubt::store::embedded {

// `count` numbers of `width` bits: runs of equal ones and stretches of packed ones (RLE/bit-packing hybrid).
std::optional<std::vector<uint32_t>> unpack_runs(std::string_view bytes, unsigned width, size_t count);
// Puts them behind what `out` has; the width is 1 to 32 and holds each.
void pack_runs(std::span<const uint32_t> numbers, unsigned width, std::string& out);

// Of DELTA_BINARY_PACKED, exactly `count`; takes what it reads off `bytes`.
std::optional<std::vector<int64_t>> unpack_deltas(std::string_view& bytes, size_t count);
// Puts them behind what `out` has.
void pack_deltas(std::span<const int64_t> numbers, std::string& out);

}  // namespace redoubt::store::embedded
