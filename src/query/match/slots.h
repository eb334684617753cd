// Where tests find their values: every field, every attribute that some rule names, and all attributes together are
// slots with a number. SlotTable is read-only after the rules are compiled; an EventView belongs to one thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "event/batch.h"
#include "query/semantics.h"

namespace redoubt::query::match {

// Fields have the number of their place in the table, named attributes follow.
using SlotId = uint32_t;
// Of Field::attributes without a name: its values are those of all attributes.
constexpr auto kEveryAttribute = static_cast<SlotId>(event::Field::attributes);

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

// The event in hand: its attributes are walked at most once, a text is folded at most once. Stamps hold the number of
// the event for which an entry counts, so that nothing is cleared between events.
class EventView {
 public:
  explicit EventView(const SlotTable& slots);

  // Says which names of the batch are slots. The batch must outlive the view's use of its rows.
  void start_batch(const event::Batch& batch);
  void start_event(const event::Row& row);

  const event::Row& row() const { return *row_; }
  // Not of kEveryAttribute, which has many.
  event::Value value(SlotId slot);
  // The text of a slot whose value is one.
  std::string_view text(SlotId slot, Form form);
  // Any other text in a form; valid until the next call.
  std::string_view passing_text(std::string_view raw, Form form);

 private:
  void walk_attributes();

  struct Entry {
    uint32_t value_for = 0;  // attributes only
    uint32_t folded_for = 0;
    event::Value value;
    std::string folded;
  };

  const SlotTable& slots_;
  std::vector<SlotId> slot_of_name_;  // by attribute name of the batch; kNone where no rule names it
  bool batch_has_slots_ = false;
  std::optional<event::Row> row_;
  uint32_t event_ = 0;
  uint32_t walked_for_ = 0;
  std::vector<Entry> entries_;  // by slot
  std::string passing_;
};

}  // namespace redoubt::query::match
