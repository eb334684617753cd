// What a correlation holds of one group: its events of late, in order of time, and whether a window of them does what
// the definition asks for. Used by correlator.cc. Values; one thread at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "rules/correlation/definition.h"

namespace redoubt::rules::correlation {

struct Entry {
  int64_t time_us = 0;
  uint64_t sequence = 0;
  uint64_t value = 0;      // value_count: digest of the values; other value_*: the number, as int64_t; event_count: how
                           // many events it stands for, 0 is one
  uint32_t source = 0;     // which host and boot, in the correlator's table
  uint32_t reference = 0;  // into Definition::references
};

// Figures over a window that entries enter and leave.
class Tally {
 public:
  explicit Tally(Type type) : type_(type) {}

  void add(const Entry& entry);
  void remove(const Entry& entry);
  void clear();
  // Not of value_avg, value_percentile and value_median, which need the entries in order.
  double measure() const;
  // One bit each reference that occurs.
  uint64_t references() const;
  size_t distinct() const { return distinct_.size(); }

 private:
  Type type_;
  uint64_t times(const Entry& entry) const;

  uint64_t count_ = 0;
  __int128 sum_ = 0;
  std::unordered_map<uint64_t, uint32_t> distinct_;  // how many entries have each value
};

struct Window {
  std::vector<Entry> entries;  // in order of time
  double measured = 0;
};

// Events of one host may come a little out of order: a window that is judged at its end waits so long for them.
constexpr int64_t kDisorderUs = 5'000'000;

enum class Taken : uint8_t { kept, too_late, pushed_out };  // pushed_out: kept, and the oldest one is given up

class Group {
 public:
  explicit Group(Type type) : tally_(type) {}

  // Takes an event in, wherever its time puts it. Events of the last two timespans before the newest one are kept, so
  // that one that comes late by a timespan still finds every window that it is in.
  Taken add(const Definition& definition, const Entry& entry);
  // Decision::at_once: the window with the event that was added last that does what is asked for.
  std::optional<Window> found(const Definition& definition) const;
  // Decision::at_the_end: removes the oldest window, from its first event on; it is over once now_us is past due_us().
  Window close(const Definition& definition);
  int64_t due_us(const Definition& definition) const;

  bool empty() const { return first_ == entries_.size(); }
  int64_t newest_us() const { return entries_.back().time_us; }  // not empty
  size_t size() const { return entries_.size() - first_; }
  const Entry* begin() const { return entries_.data() + first_; }
  const Entry* end() const { return entries_.data() + entries_.size(); }
  size_t bytes() const;
  // The same entries with other numbers for their sources.
  void renumber_sources(const std::vector<uint32_t>& numbers);

 private:
  std::optional<Window> found_around(const Definition& definition, size_t at) const;
  std::optional<Window> found_in_order(const Definition& definition) const;
  Window cut(size_t from, size_t to, double measured) const;
  void remove_front(size_t count);
  void retire(const Definition& definition);

  std::vector<Entry> entries_;  // from first_ on; what is before is gone
  size_t first_ = 0;
  // at_once: [live_, end) is the newest window, with its tally.
  size_t live_ = 0;
  size_t added_ = 0;  // where the latest entry went
  Tally tally_;
};

// True if the window does what the definition asks for.
bool satisfies(const Definition& definition, const Tally& tally, double measured);

}  // namespace redoubt::rules::correlation
