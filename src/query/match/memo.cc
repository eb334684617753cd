#include "query/match/memo.h"

#include <xxhash.h>
#include <algorithm>
#include <cstring>

namespace redoubt::query::match {

namespace {

constexpr size_t kHeadWords = 3;
constexpr size_t kArenaWords = ValueMemo::kArenaBytes / sizeof(uint32_t);
constexpr size_t kCellsUsedMax = ValueMemo::kCells / 2;

size_t words_of(size_t bytes) { return (bytes + sizeof(uint32_t) - 1) / sizeof(uint32_t); }

}  // namespace

ValueMemo::Key ValueMemo::key_of(uint32_t finder, std::string_view value) {
  return {finder, value, XXH3_64bits(value.data(), value.size()) + finder * 0x9E3779B97F4A7C15U};
}

std::optional<std::span<const LiteralId>> ValueMemo::find(const Key& key) const {
  if (cells_.empty()) return std::nullopt;
  const auto tag = static_cast<uint32_t>(key.hash >> 32);
  for (size_t at = key.hash % kCells; cells_[at].record != 0; at = (at + 1) % kCells) {
    if (cells_[at].tag != tag) continue;
    const uint32_t* const record = arena_.get() + cells_[at].record;
    if (record[0] != key.finder || record[1] != key.value.size()) continue;
    const uint32_t* const ids = record + kHeadWords;
    if (std::memcmp(ids + record[2], key.value.data(), key.value.size()) == 0) return std::span(ids, record[2]);
  }
  return std::nullopt;
}

void ValueMemo::keep(const Key& key, std::span<const LiteralId> found) {
  if (key.value.size() > kValueBytesMax) return;
  const size_t words = kHeadWords + found.size() + words_of(key.value.size());
  if (words > kArenaWords / 2) return;
  // The first time too: a matcher that is never used takes no memory for this.
  if (cells_.empty() || kept_ == kCellsUsedMax || used_ + words > kArenaWords) forget();
  uint32_t* const record = arena_.get() + used_;
  record[0] = key.finder;
  record[1] = static_cast<uint32_t>(key.value.size());
  record[2] = static_cast<uint32_t>(found.size());
  std::copy(found.begin(), found.end(), record + kHeadWords);
  std::memcpy(record + kHeadWords + found.size(), key.value.data(), key.value.size());
  size_t at = key.hash % kCells;
  while (cells_[at].record != 0) at = (at + 1) % kCells;
  cells_[at] = {static_cast<uint32_t>(key.hash >> 32), static_cast<uint32_t>(used_)};
  used_ += words;
  ++kept_;
}

void ValueMemo::forget() {
  if (arena_ == nullptr) arena_ = std::make_unique_for_overwrite<uint32_t[]>(kArenaWords);
  cells_.assign(kCells, {});
  kept_ = 0;
  used_ = 1;
}

void NumberMemo::start_batch() {
  if (cells_.empty()) cells_.resize(size_t{1} << kCellBits);
  found_.clear();
  if (++batch_ != 0) return;
  // The stamp has come round: old ones must not look new.
  std::fill(cells_.begin(), cells_.end(), Cell{});
  batch_ = 1;
}

void NumberMemo::keep(uint32_t finder, uint32_t text_number, std::span<const LiteralId> found) {
  if (found_.size() + found.size() > kFoundMax) return;
  cells_[place_of(finder, text_number)] = {.batch = batch_,
                                           .finder = finder,
                                           .text_number = text_number,
                                           .first = static_cast<uint32_t>(found_.size()),
                                           .count = static_cast<uint32_t>(found.size())};
  found_.insert(found_.end(), found.begin(), found.end());
}

}  // namespace redoubt::query::match
