#include "query/match/event_memo.h"

#include <algorithm>
#include <bit>

namespace redoubt::query::match {

using event::Field;

EventMemo::EventMemo(const SlotTable& slots) : slots_(slots.size()), kinds_(kKinds) {
  words_.reserve(ValueMemo::kValueBytesMax / sizeof(uint32_t));
}

EventMemo::Kind& EventMemo::kind_of(const event::Row& row) {
  const auto code = static_cast<uint64_t>(row.integer(Field::event_code));
  const uint64_t mixed = (code << 8 | static_cast<uint64_t>(row.type())) * 0x9E3779B97F4A7C15U;
  std::optional<Kind>& kind = kinds_[mixed >> 32 & (kKinds - 1)];
  if (!kind) kind.emplace(slots_).version = ++latest_version_;
  return *kind;
}

bool EventMemo::add_to_key(SlotId slot, const event::Value& value, EventView& event) {
  const bool is_text = value.is_text();
  const uint64_t what = is_text ? event.ids().of(slot, value) : static_cast<uint64_t>(value.integer());
  words_.insert(words_.end(), {slot << 1 | static_cast<uint32_t>(is_text), static_cast<uint32_t>(what >> 32),
                               static_cast<uint32_t>(what)});
  return !is_text || what != kNoTextId;
}

// All that the rules of the kind read and the event has; false where a text has no id.
bool EventMemo::make_key(const Kind& kind, EventView& event) {
  const event::Row& row = event.row();
  words_.assign({kind.version, static_cast<uint32_t>(row.type())});
  const event::FieldSet& fields = row.fields();
  for (size_t word = 0; word < fields.size(); ++word) {
    for (uint64_t rest = fields[word] & kind.reads.slots()[word]; rest != 0; rest &= rest - 1) {
      const auto slot = static_cast<SlotId>(word * 64 + static_cast<size_t>(std::countr_zero(rest)));
      // The type is in the key already, and its text has no number.
      if (slot == static_cast<SlotId>(Field::event_type)) continue;
      if (!add_to_key(slot, row.get(static_cast<Field>(slot)), event)) return false;
    }
  }
  for (const event::Attribute& attribute : row.attributes()) {
    const SlotId slot = event.slot_of(attribute);
    if (slot == kNoSlot || !kind.reads.has_slot(slot)) continue;
    if (!add_to_key(slot, event::Value::of_text(attribute.value, attribute.text_number), event)) return false;
  }
  return words_.size() * sizeof(uint32_t) <= ValueMemo::kValueBytesMax;
}

std::optional<std::span<const uint32_t>> EventMemo::find(EventView& event, PlanRun& run, ScanScratch& scratch) {
  key_.reset();
  Kind& kind = kind_of(event.row());
  if (kind.rest.rests()) return std::nullopt;
  const auto& looks = kind.reads.looks();
  const bool has_words =
      std::any_of(looks.begin(), looks.end(), [&](uint32_t finder) { return run.may_fire_in_batch(finder, scratch); });
  if (has_words || !make_key(kind, event)) return std::nullopt;
  key_ = ValueMemo::key_of({reinterpret_cast<const char*>(words_.data()), words_.size() * sizeof(uint32_t)});
  const auto known = outcomes_.find(*key_);
  if (known) {
    kind.rest.note_known();
    return known;
  }
  kind_ = &kind;
  event.note_reads(kind.reads);
  return std::nullopt;
}

void EventMemo::keep(EventView& event, std::span<const uint32_t> outcomes) {
  if (!key_) return;
  // More was read than the key tells: what was kept so far is not found again.
  if (kind_->reads.has_grown()) {
    kind_->version = ++latest_version_;
    return;
  }
  if (event.is_noting()) outcomes_.keep(*key_, outcomes);
}

}  // namespace redoubt::query::match
