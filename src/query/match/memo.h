// What a finder found on texts that came before: telemetry repeats itself. NumberMemo knows the texts of the batch in
// hand by their numbers and does not look at them; ValueMemo knows those of earlier batches by their bytes, which is
// still cheaper than looking for thousands of literals. Both are bounded and may forget. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "query/match/literals.h"

namespace redoubt::query::match {

class ValueMemo {
 public:
  static constexpr size_t kValueBytesMax = 4096;
  static constexpr size_t kCells = size_t{1} << 16;
  static constexpr size_t kArenaBytes = size_t{8} << 20;

  // What a value is looked up by.
  struct Key {
    uint32_t finder;
    std::string_view value;
    uint64_t hash;
  };
  static Key key_of(uint32_t finder, std::string_view value);

  // What was found on the value; valid until the next keep(). Nothing where it is not known.
  std::optional<std::span<const LiteralId>> find(const Key& key) const;
  // Of a value that find() does not know. Longer ones than kValueBytesMax are not kept.
  void keep(const Key& key, std::span<const LiteralId> found);

 private:
  struct Cell {
    uint32_t tag = 0;
    uint32_t record = 0;  // of the arena in words; 0: free
  };
  void forget();

  std::vector<Cell> cells_;
  size_t kept_ = 0;
  // Records: {finder, bytes, count, ids…, value}. Word 0 is none's.
  std::unique_ptr<uint32_t[]> arena_;
  size_t used_ = 1;
};

class NumberMemo {
 public:
  // Numbers mean other texts from now on.
  void start_batch();
  // What was found on the text of that number; valid until the next keep(). Nothing where it is not known.
  std::optional<std::span<const LiteralId>> find(uint32_t finder, uint32_t text_number) const {
    const Cell& cell = cells_[place_of(finder, text_number)];
    if (cell.batch != batch_ || cell.finder != finder || cell.text_number != text_number) return std::nullopt;
    return std::span(found_).subspan(cell.first, cell.count);
  }
  // Takes the place of another text that falls together with this one.
  void keep(uint32_t finder, uint32_t text_number, std::span<const LiteralId> found);

 private:
  static constexpr uint32_t kCellBits = 13;
  static constexpr size_t kFoundMax = size_t{1} << 20;

  struct Cell {
    uint32_t batch = 0;
    uint32_t finder = 0;
    uint32_t text_number = 0;
    uint32_t first = 0;
    uint32_t count = 0;
  };
  static size_t place_of(uint32_t finder, uint32_t text_number) {
    return (text_number * 0x9E3779B1U + finder * 0x85EBCA77U) >> (32 - kCellBits);
  }

  std::vector<Cell> cells_;  // made with the first batch: a matcher that is never used takes no memory for this
  std::vector<LiteralId> found_;
  uint32_t batch_ = 1;
};

}  // namespace redoubt::query::match
