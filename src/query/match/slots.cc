#include "query/match/slots.h"

#include <algorithm>

#include "base/text.h"

namespace redoubt::query::match {

using event::Field;
using event::Value;

SlotId SlotTable::number(Field field, const std::string& attribute) {
  if (attribute.empty()) return static_cast<SlotId>(field);
  return attributes_.try_emplace(attribute, static_cast<SlotId>(size())).first->second;
}

std::optional<SlotId> SlotTable::find_attribute(std::string_view name) const {
  const auto found = attributes_.find(name);
  if (found == attributes_.end()) return std::nullopt;
  return found->second;
}

void Reads::add_look(uint32_t finder) {
  if (std::find(looks_.begin(), looks_.end(), finder) != looks_.end()) return;
  looks_.push_back(finder);
  has_grown_ = true;
}

EventView::EventView(const SlotTable& slots)
    : slots_(slots), entries_(slots.size()), ids_(slots.size()), unnoted_(slots.size()) {}

void EventView::start_batch(const event::Batch& batch) {
  ids_.start_batch();
  const auto names = batch.attribute_names();
  slot_of_name_.assign(names.size(), kNoSlot);
  batch_has_slots_ = false;
  for (size_t i = 0; i < names.size(); ++i) {
    const auto slot = slots_.find_attribute(names[i]);
    if (!slot) continue;
    slot_of_name_[i] = *slot;
    batch_has_slots_ = true;
  }
}

void EventView::start_event(const event::Row& row) {
  row_ = row;
  stop_noting();
  if (++event_ != 0) return;
  // The stamp has come round: old ones must not look new.
  for (Entry& entry : entries_) entry.value_for = entry.folded_for = entry.parted_for = 0;
  walked_for_ = 0;
  event_ = 1;
}

void EventView::walk_attributes() {
  walked_for_ = event_;
  if (!batch_has_slots_) return;
  for (const event::Attribute& attribute : row_->attributes()) {
    const SlotId slot = slot_of_name_[attribute.name];
    if (slot == kNoSlot) continue;
    entries_[slot].value = Value::of_text(attribute.value, attribute.text_number);
    entries_[slot].value_for = event_;
  }
}

Value EventView::value(SlotId slot) {
  reads_->add_slot(slot);
  if (!is_attribute(slot)) return row_->get(static_cast<Field>(slot));
  if (walked_for_ != event_) walk_attributes();
  return entries_[slot].value_for == event_ ? entries_[slot].value : Value();
}

std::span<const event::Attribute> EventView::every_attribute() {
  stop_noting();
  return row_->attributes();
}

std::string_view EventView::text(SlotId slot, Form form) {
  const std::string_view raw = value(slot).text();
  if (form == Form::raw) return raw;
  Entry& entry = entries_[slot];
  if (entry.folded_for != event_) {
    base::fold_case_into(raw, entry.folded);
    entry.folded_for = event_;
  }
  return entry.folded;
}

const PartedText* EventView::parted_text(SlotId slot, Form form) {
  const std::string_view raw = value(slot).text();
  if (raw.size() < LikeTexts::kTextBytesMin) return nullptr;
  Entry& entry = entries_[slot];
  if (entry.parted_for != event_) {
    entry.parted_for = event_;
    if (entry.like == nullptr) entry.like = std::make_unique<LikeTexts>();
    entry.is_parted = entry.like->part(raw, [this] { return ids_.next(); });
  }
  return entry.is_parted ? &entry.like->parted(form) : nullptr;
}

std::string_view EventView::passing_text(std::string_view raw, Form form) {
  if (form == Form::raw) return raw;
  base::fold_case_into(raw, passing_);
  return passing_;
}

}  // namespace redoubt::query::match
