#include "store/events/embedded/text_table.h"

#include <xxhash.h>
#include <algorithm>
#include <cstring>
#include <random>

namespace redoubt::store::embedded {

namespace {

constexpr size_t kFetchedAtOnce = 16;

// Seeded, so that nobody can choose texts that fall together.
uint64_t seeded_hash(std::string_view text) {
  static const uint64_t seed = uint64_t{std::random_device{}()} << 32 | std::random_device{}();
  return XXH3_64bits_withSeed(text.data(), text.size(), seed);
}

}  // namespace

TextRef::TextRef(std::string_view text) : size_(static_cast<uint32_t>(text.size())) {
  if (text.size() <= kInPlaceMax) {
    if (!text.empty()) std::memcpy(bytes_, text.data(), text.size());
    return;
  }
  const char* const begin = text.data();
  std::memcpy(bytes_, begin, kHead);
  std::memcpy(bytes_ + kHead, &begin, sizeof begin);
}

std::string_view TextRef::text() const {
  if (size_ <= kInPlaceMax) return {bytes_, size_};
  const char* begin = nullptr;
  std::memcpy(&begin, bytes_ + kHead, sizeof begin);
  return {begin, size_};
}

TextTable::TextTable() : cells_(kCellsAtFirst), bytes_(kCellsAtFirst * sizeof(Cell)) {
  chunks_[0] = std::make_unique<TextRef[]>(kChunk);
}

uint32_t TextTable::number(std::string_view text) {
  grow_for(1);
  return number(text, seeded_hash(text));
}

void TextTable::number(std::span<const std::string_view> texts, std::span<uint32_t> numbers) {
  std::array<uint64_t, kFetchedAtOnce> hashes;
  grow_for(texts.size());
  const auto cell_of = [this](uint64_t hash) -> const Cell& { return cells_[hash & (cells_.size() - 1)]; };
  for (size_t from = 0; from < texts.size(); from += kFetchedAtOnce) {
    const size_t count = std::min(kFetchedAtOnce, texts.size() - from);
    for (size_t i = 0; i < count; ++i) {
      hashes[i] = seeded_hash(texts[from + i]);
      __builtin_prefetch(&cell_of(hashes[i]), 1);
    }
    for (size_t i = 0; i < count; ++i) __builtin_prefetch(&ref(cell_of(hashes[i]).number));
    for (size_t i = 0; i < count; ++i) __builtin_prefetch(text(cell_of(hashes[i]).number).data());
    for (size_t i = 0; i < count; ++i) numbers[from + i] = number(texts[from + i], hashes[i]);
  }
}

uint32_t TextTable::number(std::string_view text, uint64_t hash) {
  const auto tag = static_cast<uint32_t>(hash >> 32);
  for (size_t at = hash & (cells_.size() - 1);; at = (at + 1) & (cells_.size() - 1)) {
    Cell& cell = cells_[at];
    if (cell.number == kNoText) {
      cell = {tag, add(text)};
      return cell.number;
    }
    if (cell.tag == tag && this->text(cell.number) == text) return cell.number;
  }
}

uint32_t TextTable::add(std::string_view text) {
  CHECK(size_ < kTextsMax);
  auto& chunk = chunks_[size_ / kChunk];
  if (!chunk) {
    chunk = std::make_unique<TextRef[]>(kChunk);
    bytes_ += kChunk * sizeof(TextRef);
  }
  chunk[size_ % kChunk] = TextRef(texts_.keep(text));
  bytes_ += text.size();
  return size_++;
}

// At most half of the cells are taken.
void TextTable::grow_for(size_t texts) {
  size_t wanted = cells_.size();
  while ((size_ + texts) * 2 > wanted) wanted *= 2;
  if (wanted == cells_.size()) return;
  std::vector<Cell> cells(wanted);
  for (uint32_t number = 1; number < size_; ++number) {
    const uint64_t hash = seeded_hash(text(number));
    size_t at = hash & (cells.size() - 1);
    while (cells[at].number != kNoText) at = (at + 1) & (cells.size() - 1);
    cells[at] = {static_cast<uint32_t>(hash >> 32), number};
  }
  bytes_ += (cells.size() - cells_.size()) * sizeof(Cell);
  cells_ = std::move(cells);
}

}  // namespace redoubt::store::embedded
