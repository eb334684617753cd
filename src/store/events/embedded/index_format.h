// How the index of a segment is laid out: the head, then sections, each its size in elements and the elements, all at
// multiples of eight bytes, in the byte order of the machine. One 64-bit word array a row group (a Bloom filter), the
// counts a minute, and the trigrams of the folded command lines. Version 1 has the command lines behind them.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace redoubt::store::embedded {

constexpr uint32_t kIndexMagic = 0x31585352;  // "RSX1"
constexpr uint32_t kIndexVersion = 2;
constexpr size_t kTrigram = 3;
constexpr uint32_t kTrigramBits = 1U << 16;
constexpr size_t kTrigramWords = kTrigramBits / 64;
constexpr size_t kIndexAlign = 8;

struct IndexHead {
  uint32_t magic = kIndexMagic;
  uint32_t version = kIndexVersion;
  uint64_t checksum = 0;  // XXH3-64 of what follows
  uint32_t group_rows = 0;
  uint32_t groups = 0;
  uint64_t unused = 0;
};
static_assert(sizeof(IndexHead) % kIndexAlign == 0);

constexpr size_t kFilterBitsPerKey = 10;
constexpr int kFilterProbes = 7;

template <class Each>
void for_each_probe(size_t words, uint64_t key, Each&& each) {
  const uint64_t bits = words * 64;
  uint64_t step = key >> 32 | key << 32;
  for (int probe = 0; probe < kFilterProbes; ++probe, key += step) {
    each(static_cast<uint64_t>(static_cast<unsigned __int128>(key) * bits >> 64));
  }
}

inline bool filter_has(std::span<const uint64_t> filter, uint64_t key) {
  bool all = true;
  for_each_probe(filter.size(), key, [&](uint64_t bit) { all = all && (filter[bit / 64] >> (bit % 64) & 1) != 0; });
  return all;
}

inline void filter_add(std::span<uint64_t> filter, uint64_t key) {
  for_each_probe(filter.size(), key, [&](uint64_t bit) { filter[bit / 64] |= uint64_t{1} << (bit % 64); });
}

// Of three bytes.
inline uint32_t trigram_bit(const char* text) {
  uint32_t word = 0;
  std::memcpy(&word, text, kTrigram);
  return word * 2654435761U >> 16;
}

class IndexReader {
 public:
  explicit IndexReader(std::string_view bytes) : bytes_(bytes) {}

  template <class Element>
  Result<std::span<const Element>> take() {
    uint64_t count = 0;
    if (bytes_.size() < sizeof count) return fail(Errc::corrupt, "index is cut off");
    std::memcpy(&count, bytes_.data(), sizeof count);
    bytes_.remove_prefix(sizeof count);
    if (count > bytes_.size() / sizeof(Element)) return fail(Errc::corrupt, "index is cut off");
    const std::span<const Element> elements(reinterpret_cast<const Element*>(bytes_.data()), count);
    const size_t size = (count * sizeof(Element) + kIndexAlign - 1) / kIndexAlign * kIndexAlign;
    bytes_.remove_prefix(size < bytes_.size() ? size : bytes_.size());
    return elements;
  }

 private:
  std::string_view bytes_;
};

template <class Element>
void put_section(std::string& out, std::span<const Element> elements) {
  const uint64_t count = elements.size();
  out.append(reinterpret_cast<const char*>(&count), sizeof count);
  out.append(reinterpret_cast<const char*>(elements.data()), elements.size_bytes());
  out.resize((out.size() + kIndexAlign - 1) / kIndexAlign * kIndexAlign);
}

}  // namespace redoubt::store::embedded
