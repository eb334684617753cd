// The distinct texts of a memtable, numbered from one on. Texts only come; what a number stands for never moves. One
// thread adds; others may read the numbers that they were told of.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "event/texts.h"

namespace redoubt::store::embedded {

constexpr uint32_t kNoText = 0;

// A text as DuckDB lays out a VARCHAR: short ones in place, of others the first bytes and where the whole is. So
// columns are filled without a look at the texts.
class TextRef {
 public:
  TextRef() = default;
  // The text stays where it is.
  explicit TextRef(std::string_view text);
  std::string_view text() const;

 private:
  static constexpr size_t kInPlaceMax = 12;
  static constexpr size_t kHead = 4;
  uint32_t size_ = 0;
  char bytes_[kInPlaceMax] = {};  // the text; of a long one its head and its address
};

class TextTable {
 public:
  TextTable();

  // The text's number; what it was given before, where it is known.
  uint32_t number(std::string_view text);
  // Those of many texts, one after the other: what is in memory is fetched for several at once.
  void number(std::span<const std::string_view> texts, std::span<uint32_t> numbers);
  const TextRef& ref(uint32_t number) const { return chunks_[number / kChunk][number % kChunk]; }
  std::string_view text(uint32_t number) const { return ref(number).text(); }
  // Calls `visit(text)` for each, in order. Texts lie all over the memory: those ahead are fetched meanwhile.
  template <class Visit>
  void for_each(std::span<const uint32_t> numbers, Visit&& visit) const {
    constexpr size_t kAhead = 16;
    for (size_t at = 0; at < numbers.size(); ++at) {
      if (at + 2 * kAhead < numbers.size()) __builtin_prefetch(&ref(numbers[at + 2 * kAhead]));
      if (at + kAhead < numbers.size()) __builtin_prefetch(text(numbers[at + kAhead]).data());
      visit(text(numbers[at]));
    }
  }
  // Numbers in use, kNoText included.
  uint32_t size() const { return size_; }
  // True when no more than what is there can be numbered.
  bool full() const { return size_ >= kTextsMax; }
  uint64_t bytes() const { return bytes_; }

 private:
  static constexpr uint32_t kChunk = 16'384;
  static constexpr uint32_t kTextsMax = kChunk * 4096;
  static constexpr size_t kCellsAtFirst = 4096;

  struct Cell {
    uint32_t tag = 0;
    uint32_t number = kNoText;
  };
  void grow_for(size_t texts);
  uint32_t number(std::string_view text, uint64_t hash);
  uint32_t add(std::string_view text);

  std::vector<Cell> cells_;
  std::array<std::unique_ptr<TextRef[]>, kTextsMax / kChunk> chunks_;
  event::TextBlocks texts_;
  uint32_t size_ = 1;
  uint64_t bytes_ = 0;
};

}  // namespace redoubt::store::embedded
