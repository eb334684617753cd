#include "event/batch.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>
#include <algorithm>
#include <unordered_set>
#include <utility>

#include "base/text.h"

namespace redoubt::event {

namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

// Field numbers of message EventBatch.
constexpr int kBatchSchema = 1;
constexpr int kBatchCommon = 2;
constexpr int kBatchEvents = 3;
constexpr int kBatchAttributeNames = 4;
// Field numbers of message Attribute.
constexpr int kAttributeName = 1;
constexpr int kAttributeValue = 2;
constexpr uint64_t kSchema = 1;

constexpr int kNumberMax = 511;

// Wire number → position in the table, -1 where there is none.
constexpr auto kPositionOf = [] {
  std::array<int16_t, kNumberMax + 1> positions{};
  positions.fill(-1);
  for (const FieldInfo& row : kFields) positions[static_cast<size_t>(row.number)] = static_cast<int16_t>(row.field);
  return positions;
}();

// The fields of one event while it is read.
struct Scratch {
  std::array<Value, kFieldCount> values{};
  FieldSet present{};
  size_t attributes = 0;  // at the end of the batch's

  void set(size_t position, Value value) {
    values[position] = value;
    present[position / 64] |= uint64_t{1} << (position % 64);
  }
};

}  // namespace

struct Batch::Decoder {
  Batch& batch;
  CodedInputStream input;
  Scratch common;
  bool has_common = false;
  TextNumbers numbers;
  std::unordered_set<std::string_view> attribute_names;
  std::vector<uint32_t> named_in;  // by attribute name: the number of the latest event that has it, counted from one

  explicit Decoder(Batch& target)
      : batch(target),
        input(reinterpret_cast<const uint8_t*>(target.bytes_.data()), static_cast<int>(target.bytes_.size())) {}

  // The next `size` bytes as a view, or nothing if they are not there.
  bool read_view(std::string_view& view) {
    uint32_t size = 0;
    if (!input.ReadVarint32(&size) || size > batch.bytes_.size()) return false;
    const auto start = static_cast<size_t>(input.CurrentPosition());
    if (!input.Skip(static_cast<int>(size))) return false;
    view = std::string_view(batch.bytes_).substr(start, size);
    return true;
  }

  bool read_utf8(std::string_view& text) {
    if (!read_view(text) || text.size() > kTextBytesMax) return false;
    if (!base::is_utf8(text)) text = batch.made_.keep(base::escape_invalid_utf8(text));
    return true;
  }

  TextNumbers::Numbered numbered(std::string_view text) {
    return numbers.number(text, [](std::string_view fresh) { return fresh; });
  }

  bool read_text(Scratch& scratch, size_t position) {
    std::string_view text;
    if (!read_utf8(text)) return false;
    const auto known = numbered(text);
    scratch.set(position, Value::of_text(known.text, known.number));
    return true;
  }

  bool read_attribute_name() {
    std::string_view name;
    if (batch.attribute_names_.size() == kAttributeNamesMax || !read_utf8(name)) return false;
    if (name.empty() || name.size() > kAttributeNameBytesMax || !attribute_names.insert(name).second) return false;
    batch.attribute_names_.push_back(name);
    named_in.push_back(0);
    return true;
  }

  // One message Attribute.
  bool read_attribute(Scratch& scratch) {
    uint32_t size = 0;
    if (scratch.attributes == kAttributesMax || !input.ReadVarint32(&size) || size > batch.bytes_.size()) return false;
    const auto limit = input.PushLimit(static_cast<int>(size));
    Attribute attribute;
    while (const uint32_t tag = input.ReadTagNoLastTag()) {
      if (tag == (kAttributeName << 3 | WireFormatLite::WIRETYPE_VARINT)) {
        if (!input.ReadVarint32(&attribute.name)) return false;
      } else if (tag == (kAttributeValue << 3 | WireFormatLite::WIRETYPE_LENGTH_DELIMITED)) {
        if (!read_utf8(attribute.value)) return false;
      } else {
        return false;
      }
    }
    const bool whole = input.BytesUntilLimit() == 0;
    input.PopLimit(limit);
    if (!whole || attribute.name >= batch.attribute_names_.size()) return false;
    // Each name once: what the attribute of a name is must not depend on who looks.
    const auto event = static_cast<uint32_t>(batch.rows_.size() + 1);
    if (std::exchange(named_in[attribute.name], event) == event) return false;
    const auto known = numbered(attribute.value);
    batch.attributes_.push_back({.name = attribute.name, .text_number = known.number, .value = known.text});
    ++scratch.attributes;
    return true;
  }

  bool read_number(Scratch& scratch, size_t position) {
    uint64_t number = 0;
    if (!input.ReadVarint64(&number)) return false;
    if (position != static_cast<size_t>(Field::event_type)) {
      scratch.set(position, Value::of_integer(static_cast<int64_t>(number)));
      return true;
    }
    const std::string_view name = number < kEventTypesMax ? name_of(static_cast<EventType>(number)) : "";
    if (name.empty()) return false;
    scratch.set(position, Value::of_text(name));
    return true;
  }

  // One message Event of `size` bytes.
  bool read_event(Scratch& scratch, uint32_t size) {
    const auto limit = input.PushLimit(static_cast<int>(size));
    FieldSet seen{};
    while (const uint32_t tag = input.ReadTagNoLastTag()) {
      const int number = WireFormatLite::GetTagFieldNumber(tag);
      const int position = number <= kNumberMax ? kPositionOf[static_cast<size_t>(number)] : -1;
      if (position < 0) {
        if (!WireFormatLite::SkipField(&input, tag)) return false;
        continue;
      }
      const auto at = static_cast<size_t>(position);
      if (kFields[at].field == Field::attributes) {
        if (WireFormatLite::GetTagWireType(tag) != WireFormatLite::WIRETYPE_LENGTH_DELIMITED) return false;
        if (!read_attribute(scratch)) return false;
        continue;
      }
      // No writer repeats a field, and every repeat could cost many times its bytes.
      const uint64_t bit = uint64_t{1} << (at % 64);
      if ((seen[at / 64] & bit) != 0) return false;
      seen[at / 64] |= bit;
      const bool on_wire_as_text = is_textual(kFields[at].type) && kFields[at].field != Field::event_type;
      const auto wanted = on_wire_as_text ? WireFormatLite::WIRETYPE_LENGTH_DELIMITED : WireFormatLite::WIRETYPE_VARINT;
      if (WireFormatLite::GetTagWireType(tag) != wanted) return false;
      if (!(on_wire_as_text ? read_text(scratch, at) : read_number(scratch, at))) return false;
    }
    const bool whole = input.BytesUntilLimit() == 0;
    input.PopLimit(limit);
    return whole;
  }

  bool read_sized_event(Scratch& scratch) {
    uint32_t size = 0;
    return input.ReadVarint32(&size) && size <= batch.bytes_.size() && read_event(scratch, size);
  }

  bool append(const Scratch& scratch) {
    const Value type = scratch.values[static_cast<size_t>(Field::event_type)];
    if (!type.is_text() || !scratch.values[static_cast<size_t>(Field::event_sequence)].present() ||
        !scratch.values[static_cast<size_t>(Field::event_time)].present()) {
      return false;
    }
    Slots slots{.present = scratch.present,
                .first = static_cast<uint32_t>(batch.values_.size()),
                .type = *event_type_named(type.text()),
                .first_attribute = static_cast<uint32_t>(batch.attributes_.size() - scratch.attributes),
                .attributes = static_cast<uint32_t>(scratch.attributes)};
    for (size_t position = 0; position < kFieldCount; ++position) {
      if (scratch.values[position].present()) batch.values_.push_back(scratch.values[position]);
    }
    batch.rows_.push_back(slots);
    return true;
  }

  Status read_one_event() {
    const std::string at = "event " + std::to_string(batch.rows_.size());
    if (batch.rows_.size() == kBatchEventsMax) {
      return fail(Errc::invalid_argument, "batch has more than " + std::to_string(kBatchEventsMax) + " events");
    }
    Scratch scratch = common;
    if (!read_sized_event(scratch)) return fail(Errc::invalid_argument, at + " is malformed");
    if (!append(scratch)) return fail(Errc::invalid_argument, at + " has no type, sequence number or time");
    const size_t count = batch.rows_.size();
    if (count > 1 &&
        batch.row(count - 1).integer(Field::event_sequence) <= batch.row(count - 2).integer(Field::event_sequence)) {
      return fail(Errc::invalid_argument, at + ": sequence numbers do not rise");
    }
    return {};
  }

  Status read_batch() {
    while (const uint32_t tag = input.ReadTagNoLastTag()) {
      const int number = WireFormatLite::GetTagFieldNumber(tag);
      const bool sized = WireFormatLite::GetTagWireType(tag) == WireFormatLite::WIRETYPE_LENGTH_DELIMITED;
      if (number == kBatchEvents && sized) {
        TRY_STATUS(read_one_event());
      } else if (number == kBatchCommon && sized) {
        if (!batch.rows_.empty() || std::exchange(has_common, true) || !read_sized_event(common) ||
            common.attributes > 0) {
          return fail(Errc::invalid_argument, "common fields are malformed, come twice or follow events");
        }
      } else if (number == kBatchAttributeNames && sized) {
        if (!read_attribute_name()) return fail(Errc::invalid_argument, "attribute names are malformed or repeated");
      } else if (number == kBatchSchema) {
        uint64_t schema = 0;
        if (!input.ReadVarint64(&schema) || schema != kSchema) {
          return fail(Errc::unsupported, "batch has another schema than " + std::to_string(kSchema));
        }
      } else if (!WireFormatLite::SkipField(&input, tag)) {
        return fail(Errc::invalid_argument, "batch is malformed");
      }
    }
    if (static_cast<size_t>(input.CurrentPosition()) != batch.bytes_.size()) {
      return fail(Errc::invalid_argument, "batch is malformed");
    }
    return {};
  }
};

void Batch::add(std::vector<Note> notes) {
  if (notes.empty()) return;
  std::vector<Value> values;
  values.reserve(values_.size() + notes.size());
  auto note = notes.begin();
  for (size_t index = 0; index < rows_.size(); ++index) {
    Slots& slots = rows_[index];
    const auto first = static_cast<uint32_t>(values.size());
    const auto add_before = [&](size_t position) {
      for (; note != notes.end() && note->row == index && static_cast<size_t>(note->field) < position; ++note) {
        values.push_back(Value::of_integer(note->number));
        const auto bit = static_cast<size_t>(note->field);
        slots.present[bit / 64] |= uint64_t{1} << (bit % 64);
      }
    };
    const FieldSet present = slots.present;
    size_t at = slots.first;
    for (size_t word = 0; word < present.size(); ++word) {
      for (uint64_t bits = present[word]; bits != 0; bits &= bits - 1) {
        add_before(word * 64 + static_cast<size_t>(std::countr_zero(bits)));
        values.push_back(values_[at++]);
      }
    }
    add_before(kFieldCount);
    slots.first = first;
  }
  values_ = std::move(values);
  notes_ = std::move(notes);
}

Result<Batch> Batch::decode(std::string bytes) {
  if (bytes.size() > kBatchBytesMax) {
    return fail(Errc::too_large, "batch has more than " + std::to_string(kBatchBytesMax) + " bytes");
  }
  // On the heap, so that views stay valid when the batch is moved (a short string would move with it).
  Batch batch;
  batch.bytes_ = std::move(bytes);
  batch.bytes_.reserve(64);
  Decoder decoder(batch);
  TRY_STATUS(decoder.read_batch());
  return batch;
}

Value Row::attribute(std::string_view name) const {
  for (const Attribute& attribute : attributes()) {
    if (batch_->attribute_names_[attribute.name] == name) return Value::of_text(attribute.value, attribute.text_number);
  }
  return {};
}

}  // namespace redoubt::event
