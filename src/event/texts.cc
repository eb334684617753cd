#include "event/texts.h"

#include <xxhash.h>
#include <algorithm>
#include <random>

namespace redoubt::event {

std::string_view TextBlocks::keep(std::string_view text) {
  if (blocks_.empty() || blocks_.back().size - blocks_.back().used < text.size()) {
    const size_t size = std::max(text.size(), kBlockBytes);
    blocks_.push_back({.bytes = std::make_unique_for_overwrite<char[]>(size), .size = size});
  }
  Block& block = blocks_.back();
  char* const at = block.bytes.get() + block.used;
  if (!text.empty()) std::memcpy(at, text.data(), text.size());
  block.used += text.size();
  return {at, text.size()};
}

// Seeded, so that nobody can choose texts that fall together.
uint64_t TextNumbers::hash_of(std::string_view text) {
  static const uint64_t seed = uint64_t{std::random_device{}()} << 32 | std::random_device{}();
  return XXH3_64bits_withSeed(text.data(), text.size(), seed);
}

void TextNumbers::grow() {
  const size_t size = std::max(kCellsAtFirst, cells_.size() * 2);
  cells_.assign(size, {});
  for (size_t i = 0; i < texts_.size(); ++i) {
    const uint64_t hash = hash_of(texts_[i]);
    size_t at = hash & (size - 1);
    for (size_t probe = 0; probe < kProbesMax; ++probe, at = (at + 1) & (size - 1)) {
      if (cells_[at].number != kNoTextNumber) continue;
      cells_[at] = {static_cast<uint32_t>(hash >> 32), static_cast<uint32_t>(i + 1)};
      break;
    }
  }
}

void TextNumbers::clear() {
  std::fill(cells_.begin(), cells_.end(), Cell{});
  texts_.clear();
}

}  // namespace redoubt::event
