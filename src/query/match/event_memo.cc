#include "query/match/event_memo.h"

#include <algorithm>
#include <bit>

namespace redoubt::query::match {

using event::Field;

EventMemo::EventMemo(const SlotTable& slots) : slots_(slots.size()), kinds_(kKinds) {}

EventMemo::Kind& EventMemo::kind_of(const event::Row& row) {
  const auto code = static_cast<uint64_t>(row.integer(Field::event_code));
  const uint64_t mixed = (code << 8 | static_cast<uint64_t>(row.type())) * 0x9E3779B97F4A7C15U;
  std::optional<Kind>& kind = kinds_[mixed >> 32 & (kKinds - 1)];
  if (!kind) kind.emplace(slots_).version = ++latest_version_;
  return *kind;
}

bool EventMemo::add_to_key(SlotId slot, const event::Value& value, EventView& event) {
  if (!value.is_text()) {
    key_words_[key_size_++] = static_cast<uint64_t>(value.integer());
    return true;
  }
  const TextId id = event.ids().of(slot, value);
  key_words_[key_size_++] = id;
  return id != kNoTextId;
}

// All that the rules of the kind read and the event has; false where a text has no id, or where there is too much.
// Which fields there are says whether their values are texts.
bool EventMemo::make_key(const Kind& kind, EventView& event) {
  const event::Row& row = event.row();
  key_size_ = 0;
  key_words_[key_size_++] = uint64_t{kind.version} << 32 | static_cast<uint32_t>(row.type());
  const std::span<const uint64_t> reads = kind.reads.slots();
  const event::FieldSet& fields = row.fields();
  for (size_t word = 0; word < fields.size(); ++word) key_words_[key_size_++] = fields[word] & reads[word];
  bool has_ids = true;
  row.for_each([&](Field field, const event::Value& value) {
    const auto slot = static_cast<SlotId>(field);
    // The type is in the key already, and its text has no number.
    if (has_ids && kind.reads.has_slot(slot) && field != Field::event_type) has_ids = add_to_key(slot, value, event);
  });
  if (!has_ids) return false;
  for (const event::Attribute& attribute : row.attributes()) {
    const SlotId slot = event.slot_of(attribute);
    if (slot == kNoSlot || !kind.reads.has_slot(slot)) continue;
    if (key_size_ + 2 > key_words_.size()) return false;
    key_words_[key_size_++] = slot;
    if (!add_to_key(slot, event::Value::of_text(attribute.value, attribute.text_number), event)) return false;
  }
  return true;
}

std::optional<std::span<const uint32_t>> EventMemo::find(EventView& event, PlanRun& run, ScanScratch& scratch) {
  key_.reset();
  Kind& kind = kind_of(event.row());
  if (kind.rest.rests()) return std::nullopt;
  const auto& looks = kind.reads.looks();
  const bool has_words =
      std::any_of(looks.begin(), looks.end(), [&](uint32_t finder) { return run.may_fire_in_batch(finder, scratch); });
  if (has_words || !make_key(kind, event)) return std::nullopt;
  key_ = ValueMemo::key_of({reinterpret_cast<const char*>(key_words_.data()), key_size_ * sizeof(uint64_t)});
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
