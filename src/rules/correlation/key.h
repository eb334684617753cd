// A field by which events are grouped or that is counted: a name of rules, and where an event has its value. The one
// place where correlations look into events. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "event/batch.h"
#include "event/field.h"

namespace redoubt::rules::correlation {

struct KeyPlace {
  event::Field field{};
  std::string attribute;  // of event::Field::attributes
};

struct Key {
  std::string name;              // as its author wrote it
  std::vector<KeyPlace> places;  // on the events of a rule; the first that has something counts
  uint32_t position = 0;         // on the firings of a correlation: which of its group values
};

// Values longer than this are told apart by their digest, so that a group costs little whatever a host sends.
constexpr size_t kKeyValueBytesMax = 512;

// Where the fields of one event come from: a row of a batch, a row of stored history.
class EventFields {
 public:
  virtual ~EventFields() = default;
  virtual event::Value get(event::Field field) const = 0;
  virtual event::Value attribute(std::string_view name) const = 0;
};

class RowFields final : public EventFields {
 public:
  explicit RowFields(const event::Row& row) : row_(row) {}
  event::Value get(event::Field field) const override { return row_.get(field); }
  event::Value attribute(std::string_view name) const override { return row_.attribute(name); }

 private:
  event::Row row_;
};

// What the event has under the key; absent where it has nothing or an empty text.
event::Value value_of(const Key& key, const EventFields& fields);

// Appends a value to a text that several make up: its length, then its bytes.
void append_part(std::string& parts, const event::Value& value);
void append_part(std::string& parts, std::string_view value);
// The values again; nothing where the text is not such a one.
std::optional<std::vector<std::string>> split_parts(std::string_view parts);

}  // namespace redoubt::rules::correlation
