// The texts of one batch: TextBlocks keeps those that must be copied, TextNumbers numbers them, so that equal texts
// have one number and are looked at once however many events say them. One thread.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace redoubt::event {

// Memory for texts that only grows; what was kept stays where it is, also when the blocks are moved.
class TextBlocks {
 public:
  std::string_view keep(std::string_view text);
  // What is in use of each block.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const Block& block : blocks_) visit(std::string_view(block.bytes.get(), block.used));
  }

 private:
  // Small enough for the allocator to hand the same memory out again: fresh pages cost more than what is copied into
  // them.
  static constexpr size_t kBlockBytes = size_t{64} << 10;

  struct Block {
    std::unique_ptr<char[]> bytes;
    size_t size = 0;
    size_t used = 0;
  };
  std::vector<Block> blocks_;
};

// The number of a text that has none. What has no number is equal to any other only by its bytes.
constexpr uint32_t kNoTextNumber = 0;
constexpr uint32_t kTextNumberMax = (uint32_t{1} << 24) - 1;

class TextNumbers {
 public:
  struct Numbered {
    uint32_t number = kNoTextNumber;
    std::string_view text;
  };

  // The number of the text and where it is kept: `keep` is called with a text that was not there before, and returns it
  // where it stays. Equal texts may have several numbers, where hostile ones fill the table's neighbourhoods.
  template <class Keep>
  Numbered number(std::string_view text, Keep&& keep) {
    if (texts_.size() * 2 >= cells_.size()) grow();
    const uint64_t hash = hash_of(text);
    size_t at = hash & (cells_.size() - 1);
    const auto tag = static_cast<uint32_t>(hash >> 32);
    for (size_t probe = 0; probe < kProbesMax; ++probe, at = (at + 1) & (cells_.size() - 1)) {
      const Cell cell = cells_[at];
      if (cell.number == kNoTextNumber) return {add(cells_[at], tag, text, keep), texts_.back()};
      if (cell.tag != tag) continue;
      const std::string_view known = texts_[cell.number - 1];
      if (known.size() == text.size() && std::memcmp(known.data(), text.data(), text.size()) == 0) {
        return {cell.number, known};
      }
    }
    Cell nowhere;
    return {add(nowhere, tag, text, keep), texts_.back()};
  }
  // Forgets all, and keeps its memory.
  void clear();

 private:
  static constexpr size_t kProbesMax = 16;
  static constexpr size_t kCellsAtFirst = 4096;

  struct Cell {
    uint32_t tag = 0;
    uint32_t number = kNoTextNumber;
  };

  template <class Keep>
  uint32_t add(Cell& cell, uint32_t tag, std::string_view text, Keep&& keep) {
    texts_.push_back(text.empty() ? std::string_view("") : keep(text));
    if (texts_.size() > kTextNumberMax) return kNoTextNumber;
    cell = {tag, static_cast<uint32_t>(texts_.size())};
    return cell.number;
  }
  static uint64_t hash_of(std::string_view text);
  void grow();

  std::vector<Cell> cells_;
  std::vector<std::string_view> texts_;  // by number, from one on
};

}  // namespace redoubt::event
