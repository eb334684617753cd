// Literals anywhere in a text, without a library: each literal is known by the four of its bytes that fewest other
// literals share; the text's positions are looked up in a small bit table, and what passes is compared. Memory is that
// of the literals. Built once, then read-only; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "query/match/literals.h"
#include "query/match/needle.h"

namespace redoubt::query::match {

class WindowLiterals {
 public:
  // None of them empty.
  void build(const std::vector<std::pair<std::string, LiteralId>>& literals);
  // Appends the ids of the literals that are there, each at least once.
  void find(std::string_view text, std::vector<LiteralId>& found) const;

 private:
  static constexpr size_t kWindow = 4;

  struct Entry {
    uint32_t window;  // the bytes themselves
    uint32_t before;  // bytes of the literal in front of them
    uint32_t offset;  // of the literal in texts_
    uint32_t size;
    LiteralId id;
  };

  struct Few {
    Needle needle;
    LiteralId id;
  };

  void set_aside(std::vector<Entry>& long_entries, std::vector<Entry>& short_entries);
  void add_long(std::vector<Entry> entries);
  void add_short(std::vector<Entry> entries);
  void find_long(std::string_view text, std::vector<LiteralId>& found) const;
  void find_short(std::string_view text, std::vector<LiteralId>& found) const;

  std::string texts_;
  // Literals of at least kWindow bytes: buckets by hash of the window, the entries of a bucket side by side.
  size_t stride_ = 1;             // one of so many windows side by side is at a position that is looked at
  std::vector<uint64_t> filter_;  // a bit a hash
  int filter_shift_ = 0;
  std::vector<uint32_t> first_;  // by bucket: its first entry; one more at the end
  int bucket_shift_ = 0;
  std::vector<Entry> long_;
  // Shorter ones: by first byte.
  std::array<uint32_t, 257> short_first_{};
  std::vector<Entry> short_;
  std::vector<Few> few_;
};

}  // namespace redoubt::query::match
