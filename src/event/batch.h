// A batch of events in memory: rows whose strings are views into the received bytes; no object and no allocation an
// event. Made once by decode() from hostile bytes, read-only afterwards but for add(); reading is safe from any thread.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "event/field.h"
#include "event/texts.h"

namespace redoubt::event {

// What a field of one event holds: nothing, text, or a number (integers; times as microseconds since the epoch).
class Value {
 public:
  Value() = default;
  static Value of_text(std::string_view text, uint32_t number = kNoTextNumber) { return Value(text, number); }
  static Value of_integer(int64_t number) { return Value(number); }

  bool present() const { return tag_ != Tag::absent; }
  bool is_text() const { return tag_ == Tag::text; }
  std::string_view text() const { return {text_, size_}; }  // is_text() only
  // Texts of one batch that have the same number are equal; kNoTextNumber where it has none. is_text() only.
  uint32_t text_number() const { return text_number_; }
  int64_t integer() const { return number_; }  // present and not is_text() only

 private:
  enum class Tag : uint8_t { absent, text, integer };
  Value(std::string_view text, uint32_t number)
      : text_(text.data()), size_(static_cast<uint32_t>(text.size())), text_number_(number), tag_(Tag::text) {}
  explicit Value(int64_t number) : number_(number), tag_(Tag::integer) {}

  union {
    const char* text_;
    int64_t number_ = 0;
  };
  uint32_t size_ = 0;
  uint32_t text_number_ : 24 = kNoTextNumber;
  Tag tag_ : 8 = Tag::absent;
};
static_assert(sizeof(Value) == 16, "a batch has dozens an event");

// What the source of an event says beyond the fields of the table.
struct Attribute {
  uint32_t name = 0;  // position in Batch::attribute_names()
  uint32_t text_number = kNoTextNumber;
  std::string_view value;
};

// A number that the node adds to an event: what its sender cannot know.
struct Note {
  uint32_t row = 0;
  Field field{};
  int64_t number = 0;
  friend auto operator<=>(const Note&, const Note&) = default;
};

class Batch;

// One event: a light view into its batch, which must outlive it.
class Row {
 public:
  // Absent for Field::attributes: those have names.
  Value get(Field field) const;
  // Which fields it has, a bit each.
  const FieldSet& fields() const;
  // Calls `visit(field, value)` for every field that is there, in the order of the table.
  template <class Visit>
  void for_each(Visit&& visit) const;
  std::span<const Attribute> attributes() const;
  std::string_view attribute_name(const Attribute& attribute) const;
  // By its exact name; the batch's names are searched, so not for hot paths.
  Value attribute(std::string_view name) const;
  EventType type() const;
  // get() of a field that should be there; "" and 0 where it is not.
  std::string_view text(Field field) const;
  int64_t integer(Field field) const;

 private:
  friend class Batch;
  Row(const Batch& batch, size_t index) : batch_(&batch), index_(index) {}
  const Batch* batch_;
  size_t index_;
};

constexpr size_t kBatchEventsMax = 4096;
constexpr size_t kBatchBytesMax = size_t{16} << 20;
constexpr size_t kTextBytesMax = size_t{64} << 10;
constexpr size_t kAttributesMax = 512;       // of one event
constexpr size_t kAttributeNamesMax = 8192;  // of one batch
constexpr size_t kAttributeNameBytesMax = 256;

class Batch {
 public:
  // Views stay valid when the batch is moved; a copy would have views into the first.
  Batch(Batch&&) = default;
  Batch& operator=(Batch&&) = default;
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  // Takes serialized redoubt.v1.EventBatch. Refuses (invalid_argument, with the event's position) what is malformed or
  // past the limits above; unknown fields are skipped; bytes that are not UTF-8 are kept as \xHH.
  static Result<Batch> decode(std::string bytes);

  size_t size() const { return rows_.size(); }
  Row row(size_t index) const { return Row(*this, index); }
  // Has the values of a row brought near the processor; of one behind the last nothing.
  void prefetch(size_t index) const;
  // Adds to events, once: notes rise by row and field, are of rows that there are and of fields that these have not.
  void add(std::vector<Note> notes);
  std::span<const Note> notes() const { return notes_; }
  // Distinct.
  std::span<const std::string_view> attribute_names() const { return attribute_names_; }
  // Calls `visit` with stretches of memory that together hold every text of the batch; other bytes are between them.
  template <class Visit>
  void for_each_stretch(Visit&& visit) const {
    if (!bytes_.empty()) visit(std::string_view(bytes_));
    made_.for_each(visit);
  }

 private:
  friend class Row;
  friend class BatchBuilder;
  Batch() = default;
  struct Slots {
    FieldSet present{};
    uint32_t first = 0;
    EventType type = EventType::none;
    uint32_t first_attribute = 0;
    uint32_t attributes = 0;
  };
  struct Decoder;

  std::string bytes_;
  TextBlocks made_;  // texts that are not in bytes_, such as those that were not UTF-8
  std::vector<Slots> rows_;
  std::vector<Value> values_;
  std::vector<std::string_view> attribute_names_;
  std::vector<Attribute> attributes_;
  std::vector<Note> notes_;
};

inline void Batch::prefetch(size_t index) const {
  if (index + 1 >= rows_.size()) return;
  const auto fetch = [](const auto* at, const auto* end) {
    for (; at < end; at += 64 / sizeof(*at)) __builtin_prefetch(at);
  };
  const Slots& slots = rows_[index];
  fetch(values_.data() + slots.first, values_.data() + rows_[index + 1].first);
  const Attribute* const attributes = attributes_.data() + slots.first_attribute;
  fetch(attributes, attributes + slots.attributes);
}

inline Value Row::get(Field field) const {
  const Batch::Slots& slots = batch_->rows_[index_];
  const auto position = static_cast<unsigned>(field);
  const unsigned word = position / 64;
  const uint64_t bit = uint64_t{1} << (position % 64);
  if ((slots.present[word] & bit) == 0) return {};
  int below = std::popcount(slots.present[word] & (bit - 1));
  for (unsigned before = 0; before < word; ++before) below += std::popcount(slots.present[before]);
  return batch_->values_[slots.first + static_cast<size_t>(below)];
}

inline const FieldSet& Row::fields() const { return batch_->rows_[index_].present; }
template <class Visit>
void Row::for_each(Visit&& visit) const {
  const Batch::Slots& slots = batch_->rows_[index_];
  size_t at = slots.first;
  for (size_t word = 0; word < slots.present.size(); ++word) {
    for (uint64_t bits = slots.present[word]; bits != 0; bits &= bits - 1) {
      visit(static_cast<Field>(word * 64 + static_cast<size_t>(std::countr_zero(bits))), batch_->values_[at++]);
    }
  }
}

inline std::span<const Attribute> Row::attributes() const {
  const Batch::Slots& slots = batch_->rows_[index_];
  return std::span(batch_->attributes_).subspan(slots.first_attribute, slots.attributes);
}

inline std::string_view Row::attribute_name(const Attribute& attribute) const {
  return batch_->attribute_names_[attribute.name];
}

inline EventType Row::type() const { return batch_->rows_[index_].type; }

inline std::string_view Row::text(Field field) const {
  const Value value = get(field);
  return value.is_text() ? value.text() : std::string_view{};
}

inline int64_t Row::integer(Field field) const {
  const Value value = get(field);
  return value.present() && !value.is_text() ? value.integer() : 0;
}

}  // namespace redoubt::event
