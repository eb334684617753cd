#include "event/batch_builder.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace redoubt::event {

namespace {

// Small enough for the allocator to hand the same memory out again: fresh pages cost more than what is copied into
// them.
constexpr size_t kBlockBytes = size_t{64} << 10;

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

void BatchBuilder::start_block(size_t bytes) {
  std::string& block = batch_.repaired_.emplace_back(std::max(bytes, kBlockBytes), '\0');
  free_ = block.data();
  free_bytes_ = block.size();
}

std::string_view BatchBuilder::keep(std::string_view text) {
  text = shortened(text);
  if (text.size() > free_bytes_) start_block(text.size());
  if (text.empty()) return {};
  std::memcpy(free_, text.data(), text.size());
  const std::string_view kept(free_, text.size());
  free_ += text.size();
  free_bytes_ -= text.size();
  return kept;
}

void BatchBuilder::set(Field field, std::string_view text) {
  const auto position = static_cast<size_t>(field);
  values_[position] = Value::of_text(keep(text));
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

bool BatchBuilder::add_attribute(std::string_view name, std::string_view value) {
  if (batch_.attributes_.size() - attributes_before_ == kAttributesMax) return false;
  auto found = names_.find(name);
  if (found == names_.end()) {
    if (names_.size() == kAttributeNamesMax || name.empty() || name.size() > kAttributeNameBytesMax) return false;
    const std::string_view kept = keep(name);
    found = names_.emplace(kept, static_cast<uint32_t>(batch_.attribute_names_.size())).first;
    batch_.attribute_names_.push_back(kept);
    named_in_.push_back(0);
  }
  // Events are counted from one; the one in hand is not finished.
  const auto event = static_cast<uint32_t>(batch_.size() + 1 + dropped_);
  if (std::exchange(named_in_[found->second], event) == event) return false;
  const bool first = batch_.attributes_.size() == attributes_before_;
  batch_.attributes_.push_back({.name = found->second, .value = keep(value)});
  if (first) attributes_block_ = batch_.repaired_.size();
  attributes_together_ = attributes_together_ && attributes_block_ == batch_.repaired_.size();
  return true;
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
                          .attributes = static_cast<uint32_t>(batch_.attributes_.size() - attributes_before_),
                          .attributes_together = attributes_together_});
  attributes_together_ = true;
  for (size_t word = 0; word < present_.size(); ++word) {
    for (uint64_t rest = present_[word]; rest != 0; rest &= rest - 1) {
      batch_.values_.push_back(values_[word * 64 + static_cast<size_t>(std::countr_zero(rest))]);
    }
  }
  present_ = {};
  attributes_before_ = batch_.attributes_.size();
}

void BatchBuilder::drop_event() {
  present_ = {};
  attributes_together_ = true;
  ++dropped_;
  batch_.attributes_.resize(attributes_before_);
}

Batch BatchBuilder::take() {
  drop_event();
  names_.clear();
  named_in_.clear();
  dropped_ = 0;
  attributes_before_ = 0;
  free_ = nullptr;
  free_bytes_ = 0;
  return std::exchange(batch_, Batch());
}

}  // namespace redoubt::event
