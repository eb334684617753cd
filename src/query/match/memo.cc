#include "query/match/memo.h"

#include <xxhash.h>
#include <algorithm>
#include <cstring>

namespace redoubt::query::match {

namespace {

constexpr size_t kHeadWords = 2;
constexpr size_t kArenaWords = ValueMemo::kArenaBytes / sizeof(uint32_t);
constexpr size_t kCellsUsedMax = ValueMemo::kCells / 2;

size_t words_of(size_t bytes) { return (bytes + sizeof(uint32_t) - 1) / sizeof(uint32_t); }

}  // namespace

void Rest::end_of_late() {
  constexpr uint32_t kKnownMin = kAskedOfLate / 32;
  constexpr uint32_t kRestMax = 8 * kFirstRest;
  const bool pays = known_ >= kKnownMin;
  resting_ = pays ? 0 : next_rest_;
  next_rest_ = pays ? kFirstRest : std::min(2 * next_rest_, kRestMax);
  asked_ = known_ = 0;
}

ValueMemo::Key ValueMemo::key_of(std::string_view value) { return {value, XXH3_64bits(value.data(), value.size())}; }

std::optional<std::span<const uint32_t>> ValueMemo::find(const Key& key) const {
  if (cells_.empty()) return std::nullopt;
  const auto tag = static_cast<uint32_t>(key.hash >> 32);
  for (size_t at = key.hash % kCells; cells_[at].record != 0; at = (at + 1) % kCells) {
    if (cells_[at].tag != tag) continue;
    const uint32_t* const record = arena_.get() + cells_[at].record;
    if (record[0] != key.value.size()) continue;
    const uint32_t* const words = record + kHeadWords;
    if (std::memcmp(words + record[1], key.value.data(), key.value.size()) == 0) return std::span(words, record[1]);
  }
  return std::nullopt;
}

void ValueMemo::keep(const Key& key, std::span<const uint32_t> words) {
  if (key.value.size() > kValueBytesMax) return;
  const size_t size = kHeadWords + words.size() + words_of(key.value.size());
  if (size > kArenaWords / 2) return;
  // The first time too: a matcher that is never used takes no memory for this.
  if (cells_.empty() || kept_ == kCellsUsedMax || used_ + size > kArenaWords) forget();
  uint32_t* const record = arena_.get() + used_;
  record[0] = static_cast<uint32_t>(key.value.size());
  record[1] = static_cast<uint32_t>(words.size());
  std::copy(words.begin(), words.end(), record + kHeadWords);
  if (!key.value.empty()) std::memcpy(record + kHeadWords + words.size(), key.value.data(), key.value.size());
  size_t at = key.hash % kCells;
  while (cells_[at].record != 0) at = (at + 1) % kCells;
  cells_[at] = {static_cast<uint32_t>(key.hash >> 32), static_cast<uint32_t>(used_)};
  used_ += size;
  ++kept_;
}

void ValueMemo::forget() {
  if (arena_ == nullptr) arena_ = std::make_unique_for_overwrite<uint32_t[]>(kArenaWords);
  cells_.assign(kCells, {});
  kept_ = 0;
  used_ = 1;
}

void FoundMemo::keep(uint32_t finder, TextId text, std::span<const LiteralId> found) {
  if (text == kNoTextId || found.size() > kCountMax) return;
  if (cells_.empty() || found_.size() + found.size() >= kFoundMax) forget();
  cells_[place_of(finder, text)] = {.text = text,
                                    .finder = finder,
                                    .first = static_cast<uint32_t>(found_.size()) & (kFoundMax - 1),
                                    .count = static_cast<uint32_t>(found.size()) & kCountMax};
  found_.insert(found_.end(), found.begin(), found.end());
}

void FoundMemo::forget() {
  cells_.assign(size_t{1} << kCellBits, {});
  found_.reserve(kFoundMax);
  found_.clear();
}

void TextVerdicts::keep(uint32_t predicate, TextId text, Known known) {
  if (text == kNoTextId) return;
  if (cells_.empty()) cells_.resize(size_t{1} << kCellBits);
  cells_[place_of(predicate, text)] = {.text = text, .predicate = predicate, .known = known};
}

}  // namespace redoubt::query::match
