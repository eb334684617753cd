#include "event/batch_builder.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace redoubt::event {

namespace {

// The longest beginning of at most kTextBytesMax bytes that does not cut a character.
std::string_view shortened(std::string_view text) {
  size_t size = std::min(text.size(), kTextBytesMax);
  if (size == text.size()) return text;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  return text.substr(0, size);
}

}  // namespace

BatchBuilder::BatchBuilder() = default;
BatchBuilder::~BatchBuilder() = default;

TextNumbers::Numbered BatchBuilder::keep(std::string_view text) {
  return texts_.number(shortened(text), [this](std::string_view fresh) { return batch_.made_.keep(fresh); });
}

void BatchBuilder::set(Field field, std::string_view text) {
  const auto position = static_cast<size_t>(field);
  const auto kept = keep(text);
  values_[position] = Value::of_text(kept.text, kept.number);
  present_[position / 64] |= uint64_t{1} << (position % 64);
}

void BatchBuilder::set(Field field, int64_t number) {
  const auto position = static_cast<size_t>(field);
  values_[position] = Value::of_integer(number);
  present_[position / 64] |= uint64_t{1} << (position % 64);
}

bool BatchBuilder::has(Field field) const {
  const auto position = static_cast<size_t>(field);
  return (present_[position / 64] >> (position % 64) & 1) != 0;
}

std::string_view BatchBuilder::text(Field field) const {
  const Value& value = values_[static_cast<size_t>(field)];
  return has(field) && value.is_text() ? value.text() : std::string_view{};
}

// Null where it can have none. Records of one kind have their names in one order, so the next name is guessed before it
// is looked for.
BatchBuilder::Name* BatchBuilder::find_name(std::string_view text) {
  if (!names_.empty()) {
    const uint32_t guess = names_[last_name_].follower;
    if (names_[guess].text == text) {
      last_name_ = guess;
      return &names_[guess];
    }
  }
  auto found = places_.find(text);
  if (found == places_.end()) {
    const bool is_full = batch_.attribute_names_.size() == kAttributeNamesMax;
    if (is_full || text.empty() || text.size() > kAttributeNameBytesMax) return nullptr;
    names_.push_back({.text = name_texts_.keep(text)});
    found = places_.emplace(names_.back().text, static_cast<uint32_t>(names_.size() - 1)).first;
  }
  last_name_ = names_[last_name_].follower = found->second;
  return &names_[last_name_];
}

bool BatchBuilder::add_attribute(std::string_view name, std::string_view value) {
  if (batch_.attributes_.size() - attributes_before_ == kAttributesMax) return false;
  Name* const known = find_name(name);
  if (known == nullptr || known->latest_event == event_number_) return false;
  if (known->batch != batch_number_) {
    if (batch_.attribute_names_.size() == kAttributeNamesMax) return false;
    known->batch = batch_number_;
    known->number = static_cast<uint32_t>(batch_.attribute_names_.size());
    batch_.attribute_names_.push_back(batch_.made_.keep(name));
  }
  known->latest_event = event_number_;
  const auto kept = keep(value);
  batch_.attributes_.push_back({.name = known->number, .text_number = kept.number, .value = kept.text});
  return true;
}

void BatchBuilder::forget_names() {
  names_.clear();
  places_.clear();
  name_texts_ = {};
  last_name_ = 0;
}

void BatchBuilder::finish_event(EventType type) {
  CHECK(batch_.rows_.size() < kBatchEventsMax);
  const auto at = static_cast<size_t>(Field::event_type);
  values_[at] = Value::of_text(name_of(type));
  present_[at / 64] |= uint64_t{1} << (at % 64);
  batch_.rows_.push_back({.present = present_,
                          .first = static_cast<uint32_t>(batch_.values_.size()),
                          .type = type,
                          .first_attribute = static_cast<uint32_t>(attributes_before_),
                          .attributes = static_cast<uint32_t>(batch_.attributes_.size() - attributes_before_)});
  for (size_t word = 0; word < present_.size(); ++word) {
    for (uint64_t rest = present_[word]; rest != 0; rest &= rest - 1) {
      batch_.values_.push_back(values_[word * 64 + static_cast<size_t>(std::countr_zero(rest))]);
    }
  }
  present_ = {};
  attributes_before_ = batch_.attributes_.size();
  ++event_number_;
}

void BatchBuilder::drop_event() {
  present_ = {};
  ++event_number_;
  batch_.attributes_.resize(attributes_before_);
}

Batch BatchBuilder::take() {
  drop_event();
  ++batch_number_;
  if (names_.size() >= kAttributeNamesMax) forget_names();
  texts_.clear();
  attributes_before_ = 0;
  // The next batch is likely like this one, and growing step by step would copy all of it twice.
  Batch next;
  next.rows_.reserve(batch_.rows_.size());
  next.values_.reserve(batch_.values_.size());
  next.attributes_.reserve(batch_.attributes_.size());
  return std::exchange(batch_, std::move(next));
}

}  // namespace redoubt::event
