// What was found out before: telemetry repeats itself. ValueMemo knows by bytes; FoundMemo and TextVerdicts know what
// finders and tests said of texts, by the ids of the texts. All are bounded and may forget. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "query/match/literals.h"

namespace redoubt::query::match {

// Whether looking up pays: where fewer than one in sixteen was known lately, nothing is looked up for a while, which
// is longer each time.
class Rest {
 public:
  // Asked before each look-up: true where there shall be none.
  bool rests() {
    if (resting_ > 0) {
      --resting_;
      return true;
    }
    if (++asked_ == kAskedOfLate) end_of_late();
    return false;
  }
  void note_known() { ++known_; }

 private:
  static constexpr uint32_t kAskedOfLate = 512;
  static constexpr uint32_t kFirstRest = 1024;
  void end_of_late();

  uint32_t asked_ = 0;
  uint32_t known_ = 0;
  uint32_t resting_ = 0;
  uint32_t next_rest_ = kFirstRest;
};

class ValueMemo {
 public:
  static constexpr size_t kValueBytesMax = 4096;
  static constexpr size_t kCells = size_t{1} << 16;
  static constexpr size_t kArenaBytes = size_t{8} << 20;

  // What a value is looked up by.
  struct Key {
    std::string_view value;
    uint64_t hash;
  };
  static Key key_of(std::string_view value);

  // What was kept with the value; valid until the next keep(). Nothing where it is not known.
  std::optional<std::span<const uint32_t>> find(const Key& key) const;
  // Of a value that find() does not know. Longer ones than kValueBytesMax are not kept.
  void keep(const Key& key, std::span<const uint32_t> words);

 private:
  struct Cell {
    uint32_t tag = 0;
    uint32_t record = 0;  // of the arena in words; 0: free
  };
  void forget();

  std::vector<Cell> cells_;
  size_t kept_ = 0;
  // Records: {bytes of the value, count, words…, value}. Word 0 is none's.
  std::unique_ptr<uint32_t[]> arena_;
  size_t used_ = 1;
};

// Of a text, for as long as the matcher lives (text_ids.h).
using TextId = uint64_t;
constexpr TextId kNoTextId = 0;

class FoundMemo {
 public:
  // What was found on the text; valid until the next keep(). Nothing where it is not known.
  std::optional<std::span<const LiteralId>> find(uint32_t finder, TextId text) const {
    if (text == kNoTextId || cells_.empty()) return std::nullopt;
    const Cell& cell = cells_[place_of(finder, text)];
    if (cell.text != text || cell.finder != finder) return std::nullopt;
    return std::span(found_).subspan(cell.first, cell.count);
  }
  // Takes the place of another text that falls together with this one. Of kNoTextId nothing is kept.
  void keep(uint32_t finder, TextId text, std::span<const LiteralId> found);

 private:
  static constexpr int kCellBits = 15;
  static constexpr int kFirstBits = 18;
  static constexpr uint32_t kFoundMax = uint32_t{1} << kFirstBits;
  static constexpr uint32_t kCountMax = (uint32_t{1} << (32 - kFirstBits)) - 1;

  struct Cell {
    TextId text = kNoTextId;
    uint32_t finder = 0;
    uint32_t first : kFirstBits = 0;
    uint32_t count : 32 - kFirstBits = 0;
  };
  static_assert(sizeof(Cell) == 16, "none is in two lines of a cache");
  static size_t place_of(uint32_t finder, TextId text) {
    return (text * 0x9E3779B97F4A7C15U + finder * 0xC2B2AE3D27D4EB4FU) >> (64 - kCellBits);
  }
  void forget();

  std::vector<Cell> cells_;  // made when they are first needed: a matcher that is never used takes no memory for this
  std::vector<LiteralId> found_;
};

class TextVerdicts {
 public:
  enum class Known : uint8_t { no, is_false, is_true };

  Known find(uint32_t predicate, TextId text) const {
    if (text == kNoTextId || cells_.empty()) return Known::no;
    const Cell& cell = cells_[place_of(predicate, text)];
    return cell.text == text && cell.predicate == predicate ? cell.known : Known::no;
  }
  // Takes the place of another text that falls together with this one. Of kNoTextId nothing is kept.
  void keep(uint32_t predicate, TextId text, Known known);

 private:
  static constexpr int kCellBits = 14;

  struct Cell {
    TextId text = kNoTextId;
    uint32_t predicate = 0;
    Known known = Known::no;
  };
  static size_t place_of(uint32_t predicate, TextId text) {
    return (text * 0x9E3779B97F4A7C15U + predicate * 0xC2B2AE3D27D4EB4FU) >> (64 - kCellBits);
  }

  std::vector<Cell> cells_;
};

}  // namespace redoubt::query::match
