// What a finder found on values that came before: telemetry repeats itself, and comparing a text with one seen is
// cheaper than looking for thousands of literals in it. Bounded; forgets everything when it is full. One thread.
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

}  // namespace redoubt::query::match
