// What came of events before: most events are alike in all that the rules read of them, though not in their times, ids
// and numbers. What the rules ever read is noted for each kind of event; the values of that are the key under which the
// outcome is kept. Exact: an event with the same key would be judged by the same reads. Bounded; may forget. One
// thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "query/match/memo.h"
#include "query/match/plan.h"
#include "query/match/slots.h"

namespace redoubt::query::match {

// A rule that was looked at, and whether it matched.
class Outcome {
 public:
  static Outcome matched(RuleId rule) { return Outcome(rule << 1 | 1); }
  static Outcome failed(RuleId rule) { return Outcome(rule << 1); }
  explicit Outcome(uint32_t word) : word_(word) {}
  RuleId rule() const { return word_ >> 1; }
  bool has_matched() const { return (word_ & 1) != 0; }
  uint32_t word() const { return word_; }

 private:
  uint32_t word_;
};

class EventMemo {
 public:
  explicit EventMemo(const SlotTable& slots);

  // The words of the outcomes of the event, valid until the next keep(). Nothing where they are not known: they are
  // then found by reading the event, and kept.
  std::optional<std::span<const uint32_t>> find(EventView& event, PlanRun& run, ScanScratch& scratch);
  void keep(EventView& event, std::span<const uint32_t> outcomes);

 private:
  static constexpr size_t kKinds = 1024;

  // Events of one type and code; of several where they fall together.
  struct Kind {
    explicit Kind(size_t slots) : reads(slots) {}
    Reads reads;
    uint32_t version = 0;  // of the set of reads; no two kinds have the same
    Rest rest;
  };

  Kind& kind_of(const event::Row& row);
  bool make_key(const Kind& kind, EventView& event);
  bool add_to_key(SlotId slot, const event::Value& value, EventView& event);

  size_t slots_;
  std::vector<std::optional<Kind>> kinds_;
  uint32_t latest_version_ = 0;
  // The key of the event in hand.
  static constexpr size_t kKeyWordsMax = ValueMemo::kValueBytesMax / sizeof(uint64_t);
  static_assert(1 + std::tuple_size_v<event::FieldSet> + event::kFieldCount <= kKeyWordsMax);
  std::array<uint64_t, kKeyWordsMax> key_words_;
  size_t key_size_ = 0;
  std::optional<ValueMemo::Key> key_;
  Kind* kind_ = nullptr;
  ValueMemo outcomes_;
};

}  // namespace redoubt::query::match
