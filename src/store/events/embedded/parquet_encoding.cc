#include "store/events/embedded/parquet_encoding.h"

#include <algorithm>
#include <cstring>

#include "store/events/embedded/varint.h"

namespace redoubt::store::embedded {

namespace {

constexpr unsigned kWidthMax = 64;
constexpr uint64_t kMiniblocksMax = 1024;
constexpr uint64_t kBlockValuesMax = 1 << 20;

uint64_t mask_of(unsigned width) { return width >= kWidthMax ? ~uint64_t{0} : (uint64_t{1} << width) - 1; }

// Bits from a place on; those behind the end are zero.
uint64_t bits_at(std::string_view bytes, size_t bit, unsigned width) {
  unsigned __int128 word = 0;
  const size_t at = bit / 8;
  if (at >= bytes.size()) return 0;
  std::memcpy(&word, bytes.data() + at, std::min(sizeof word, bytes.size() - at));
  return static_cast<uint64_t>(word >> (bit % 8)) & mask_of(width);
}

// Where the eight bytes from a place on hold the bits.
bool has_word(std::string_view bytes, size_t bit, unsigned width) {
  return bit % 8 + width <= 64 && bit / 8 + sizeof(uint64_t) <= bytes.size();
}
uint64_t bits_in_word(std::string_view bytes, size_t bit, uint64_t mask) {
  uint64_t word = 0;
  std::memcpy(&word, bytes.data() + bit / 8, sizeof word);
  return word >> (bit % 8) & mask;
}

// Of up to 32 bits; most are read a word at a time.
void put_packed(std::string_view bytes, unsigned width, std::vector<uint32_t>& out, size_t count) {
  const uint64_t mask = mask_of(width);
  size_t at = out.size();
  out.resize(at + count);
  size_t bit = 0;
  for (; at < out.size() && has_word(bytes, bit, width); bit += width) {
    out[at++] = static_cast<uint32_t>(bits_in_word(bytes, bit, mask));
  }
  for (; at < out.size(); bit += width) out[at++] = static_cast<uint32_t>(bits_at(bytes, bit, width));
}

struct DeltaHead {
  uint64_t miniblocks = 0;
  uint64_t miniblock_values = 0;
  int64_t first = 0;
};

std::optional<DeltaHead> take_delta_head(std::string_view& bytes, size_t count) {
  const auto block = take_varint(bytes);
  const auto miniblocks = take_varint(bytes);
  const auto total = take_varint(bytes);
  const auto first = take_varint(bytes);
  if (!block || !miniblocks || !total || !first || *total != count) return std::nullopt;
  if (*block > kBlockValuesMax || *miniblocks == 0 || *miniblocks > kMiniblocksMax) return std::nullopt;
  const uint64_t values = *block / *miniblocks;
  if (values == 0 || values % 8 != 0) return std::nullopt;
  return DeltaHead{.miniblocks = *miniblocks, .miniblock_values = values, .first = of_zigzag(*first)};
}

// A block; what is behind the last value of a miniblock is passed over.
bool put_delta_block(std::string_view& bytes, const DeltaHead& head, size_t count, std::vector<int64_t>& out) {
  const auto least = take_varint(bytes);
  if (!least || bytes.size() < head.miniblocks) return false;
  const std::string_view widths = bytes.substr(0, head.miniblocks);
  bytes.remove_prefix(head.miniblocks);
  for (size_t mini = 0; mini < head.miniblocks && out.size() < count; ++mini) {
    const unsigned width = static_cast<uint8_t>(widths[mini]);
    const size_t size = head.miniblock_values / 8 * width;
    if (width > kWidthMax || size > bytes.size()) return false;
    const uint64_t mask = mask_of(width);
    auto value = static_cast<uint64_t>(out.back());
    size_t bit = 0;
    for (size_t left = std::min<size_t>(head.miniblock_values, count - out.size()); left > 0; --left, bit += width) {
      value += static_cast<uint64_t>(of_zigzag(*least));
      value += has_word(bytes, bit, width) ? bits_in_word(bytes, bit, mask) : bits_at(bytes, bit, width);
      out.push_back(static_cast<int64_t>(value));
    }
    bytes.remove_prefix(size);
  }
  return true;
}

}  // namespace

std::optional<std::vector<uint32_t>> unpack_runs(std::string_view bytes, unsigned width, size_t count) {
  if (width > 32) return std::nullopt;
  std::vector<uint32_t> out;
  out.reserve(count);
  while (out.size() < count) {
    const auto head = take_varint(bytes);
    if (!head || *head >> 1 == 0) return std::nullopt;
    const uint64_t times = *head >> 1;
    const size_t left = count - out.size();
    if ((*head & 1) != 0) {  // packed, in eights
      const size_t size = std::min<uint64_t>(times, (left + 7) / 8) * width;
      if (size > bytes.size()) return std::nullopt;
      put_packed(bytes.substr(0, size), width, out, std::min<uint64_t>(times * 8, left));
      bytes.remove_prefix(size);
    } else {
      const size_t size = (width + 7) / 8;
      if (size > bytes.size()) return std::nullopt;
      uint32_t value = 0;
      std::memcpy(&value, bytes.data(), size);
      bytes.remove_prefix(size);
      if (value > mask_of(width)) return std::nullopt;
      out.insert(out.end(), std::min<uint64_t>(times, left), value);
    }
  }
  return out;
}

std::optional<std::vector<int64_t>> unpack_deltas(std::string_view& bytes, size_t count) {
  const auto head = take_delta_head(bytes, count);
  if (!head) return std::nullopt;
  std::vector<int64_t> out;
  if (count == 0) return out;
  out.reserve(count);
  out.push_back(head->first);
  while (out.size() < count) {
    if (!put_delta_block(bytes, *head, count, out)) return std::nullopt;
  }
  return out;
}

}  // namespace redoubt::store::embedded
