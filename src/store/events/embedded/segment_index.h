// What is asked before a segment is read: which of its row groups may hold a value (Bloom filters), how many events of
// a type each minute has, and what command lines may contain. A file beside the segment, mapped into memory; a segment
// whose index is missing or damaged is read as a whole. Any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/events/embedded/memory_functions.h"

namespace redoubt::store::embedded {

struct MinuteCount {
  int64_t minute = 0;  // since the epoch
  uint32_t type = 0;   // event::EventType
  uint32_t events = 0;
};

// Is the field one whose values the index knows?
bool is_indexed(event::Field field);
// What a value of an indexed field is looked for by; the same whatever its case, where the field ignores case.
uint64_t index_key(event::Field field, std::string_view value);

class SegmentIndex {
 public:
  static Result<std::shared_ptr<const SegmentIndex>> open(const std::string& path);
  ~SegmentIndex();
  SegmentIndex(const SegmentIndex&) = delete;
  SegmentIndex& operator=(const SegmentIndex&) = delete;

  // Rows of a row group; the last one may have fewer.
  uint32_t group_rows() const { return group_rows_; }
  size_t groups() const { return filters_.size(); }
  // False: no row of the group has the value.
  bool may_have(size_t group, uint64_t key) const;
  // Empty where the counts are not known.
  std::span<const MinuteCount> minutes() const { return minutes_; }
  // False: no command line has the text, whatever the case.
  bool lines_may_contain(std::string_view text) const;

 private:
  SegmentIndex(void* memory, size_t size) : memory_(memory), size_(size) {}
  Status read();

  void* memory_;
  size_t size_;
  uint32_t group_rows_ = 0;
  std::vector<std::span<const uint64_t>> filters_;
  std::span<const MinuteCount> minutes_;
  std::span<const uint64_t> trigrams_;
};

// The content of the index of a segment that has these rows, in row groups of `group_rows`.
std::string make_index(const Memtable& table, std::span<const uint32_t> rows, uint32_t group_rows);

}  // namespace redoubt::store::embedded
