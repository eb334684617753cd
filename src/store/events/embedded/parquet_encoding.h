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
// Reads single ones of them: places only go up, and what is between them is passed over. Nothing, from then on, where
// the bytes end or make no sense.
class RunWalker {
 public:
  RunWalker(std::string_view bytes, unsigned width) : bytes_(bytes), width_(width) {}

  std::optional<uint32_t> number_at(size_t place);
  // How many of those before the place, which may be behind the last one, are ones; of a width of 1.
  std::optional<size_t> ones_before(size_t place);
  // Where the one is that has so many ones before it; of a width of 1.
  std::optional<size_t> place_of_one(size_t ones);

 private:
  bool seek(size_t place);
  bool next_run();
  size_t ones_in_run(size_t count) const;

  std::string_view bytes_;  // behind the run
  unsigned width_;
  size_t first_ = 0;  // place of the run
  size_t count_ = 0;
  std::string_view packed_;  // empty: all are `number_`
  uint32_t number_ = 0;
  size_t ones_ = 0;  // before the run
};

// Puts them behind what `out` has; the width is 1 to 32 and holds each.
void pack_runs(std::span<const uint32_t> numbers, unsigned width, std::string& out);

// Of DELTA_BINARY_PACKED, exactly `count`; takes what it reads off `bytes`.
std::optional<std::vector<int64_t>> unpack_deltas(std::string_view& bytes, size_t count);
// Puts them behind what `out` has.
void pack_deltas(std::span<const int64_t> numbers, std::string& out);

}  // namespace redoubt::store::embedded
