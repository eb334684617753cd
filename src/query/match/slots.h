// Where tests find their values: every field, every attribute that some rule names, and all attributes together are
// slots with a number. SlotTable is read-only after the rules are compiled; an EventView belongs to one thread.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "event/batch.h"
#include "query/match/like_texts.h"
#include "query/match/text_ids.h"
#include "query/semantics.h"

namespace redoubt::query::match {

// Fields have the number of their place in the table, named attributes follow.
using SlotId = uint32_t;
// Of Field::attributes without a name: its values are those of all attributes.
constexpr auto kEveryAttribute = static_cast<SlotId>(event::Field::attributes);
constexpr SlotId kNoSlot = UINT32_MAX;

class SlotTable {
 public:
  // A new number where the attribute was not asked for before; `attribute` is empty for all other fields.
  SlotId number(event::Field field, const std::string& attribute);
  std::optional<SlotId> find_attribute(std::string_view name) const;
  size_t size() const { return event::kFieldCount + attributes_.size(); }

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  std::unordered_map<std::string, SlotId, Hash, std::equal_to<>> attributes_;
};

constexpr bool is_attribute(SlotId slot) { return slot >= event::kFieldCount; }

// What finding the rules of an event asks for: the slots that were read, and the finders that looked ahead at its
// batch.
class Reads {
 public:
  explicit Reads(size_t slots) : slots_((slots + 63) / 64) {}
  void add_slot(SlotId slot) {
    uint64_t& word = slots_[slot / 64];
    const uint64_t bit = uint64_t{1} << (slot % 64);
    has_grown_ = has_grown_ || (word & bit) == 0;
    word |= bit;
  }
  void add_look(uint32_t finder);

  bool has_slot(SlotId slot) const { return (slots_[slot / 64] >> (slot % 64) & 1) != 0; }
  // Those below kFieldCount are fields.
  std::span<const uint64_t> slots() const { return slots_; }
  std::span<const uint32_t> looks() const { return looks_; }
  // Since it was last asked.
  bool has_grown() { return std::exchange(has_grown_, false); }

 private:
  std::vector<uint64_t> slots_;  // a bit a slot
  std::vector<uint32_t> looks_;
  bool has_grown_ = false;
};

// The event in hand: its attributes are walked at most once, a text is folded at most once. Stamps hold the number of
// the event for which an entry counts, so that nothing is cleared between events.
class EventView {
 public:
  explicit EventView(const SlotTable& slots);
  EventView(const EventView&) = delete;
  EventView& operator=(const EventView&) = delete;

  // Says which names of the batch are slots. The batch must outlive the view's use of its rows.
  void start_batch(const event::Batch& batch);
  void start_event(const event::Row& row);
  // What is read of the event is added there, until stop_noting().
  void note_reads(Reads& reads) { reads_ = &reads; }
  // What is read from here on is too much to be noted.
  void stop_noting() { reads_ = &unnoted_; }
  bool is_noting() const { return reads_ != &unnoted_; }
  Reads& reads() { return *reads_; }

  const event::Row& row() const { return *row_; }
  // Not of kEveryAttribute, which has many.
  event::Value value(SlotId slot);
  // Stops noting.
  std::span<const event::Attribute> every_attribute();
  // kNoSlot where no rule names the attribute.
  SlotId slot_of(const event::Attribute& attribute) const { return slot_of_name_[attribute.name]; }
  TextIds& ids() { return ids_; }
  // The text of a slot whose value is one.
  std::string_view text(SlotId slot, Form form);
  // The same in parts that others had too, where it is a long one like others of the slot; else null.
  const PartedText* parted_text(SlotId slot, Form form);
  // Any other text in a form; valid until the next call.
  std::string_view passing_text(std::string_view raw, Form form);

 private:
  void walk_attributes();

  struct Entry {
    uint32_t value_for = 0;  // attributes only
    uint32_t folded_for = 0;
    uint32_t parted_for = 0;
    bool is_parted = false;
    event::Value value;
    std::string folded;
    std::unique_ptr<LikeTexts> like;  // of slots that have long texts
  };

  const SlotTable& slots_;
  std::vector<SlotId> slot_of_name_;  // by attribute name of the batch; kNoSlot where no rule names it
  bool batch_has_slots_ = false;
  std::optional<event::Row> row_;
  uint32_t event_ = 0;
  uint32_t walked_for_ = 0;
  std::vector<Entry> entries_;  // by slot
  TextIds ids_;
  Reads unnoted_;
  Reads* reads_ = &unnoted_;
  std::string passing_;
};

}  // namespace redoubt::query::match
