// The field table in C++: fields.def and kinds.def as enums and constexpr arrays, and the look-up of a name in any of
// its families. Read-only; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace redoubt::event {

// The position of a field in the table (not its number on the wire).
enum class Field : uint8_t {
#define FIELD(number, enumerator, type, name, aliases, help) enumerator,
#include "event/fields.def"
#undef FIELD
};

enum class FieldType : uint8_t { text, keyword, id, hash, integer, time, ip };

std::string_view name_of(FieldType type);
// True for the types whose values are text in memory (all but integer and time).
constexpr bool is_textual(FieldType type) { return type != FieldType::integer && type != FieldType::time; }

struct FieldInfo {
  Field field;
  int number;
  FieldType type;
  std::string_view name;     // canonical: "process.executable"
  std::string_view column;   // at rest: "process_executable"
  std::string_view aliases;  // as in fields.def
  std::string_view help;
};

constexpr auto kFields = std::to_array<FieldInfo>({
#define FIELD(number, enumerator, type, name, aliases, help) \
  {Field::enumerator, number, FieldType::type, name, #enumerator, aliases, help},
#include "event/fields.def"
#undef FIELD
});
constexpr size_t kFieldCount = kFields.size();
static_assert(kFieldCount < 256, "Field is a byte");
// One bit a field, in words of 64: which fields a row has.
using FieldSet = std::array<uint64_t, (kFieldCount + 63) / 64>;

// What the node adds to events and takes from nobody.
inline constexpr std::array kNodeFields = {Field::prevalence_executable, Field::prevalence_command_line,
                                           Field::prevalence_parent,     Field::prevalence_destination,
                                           Field::prevalence_fleet,      Field::prevalence_days};

constexpr const FieldInfo& info(Field field) { return kFields[static_cast<size_t>(field)]; }

enum class EventType : uint8_t {
  none = 0,
#define KIND(number, enumerator, aliases, help) enumerator = number,
#include "event/kinds.def"
#undef KIND
};

struct EventTypeInfo {
  EventType type;
  std::string_view name;
  std::string_view aliases;  // blank-separated
  std::string_view help;
};

constexpr auto kEventTypes = std::to_array<EventTypeInfo>({
#define KIND(number, enumerator, aliases, help) {EventType::enumerator, #enumerator, aliases, help},
#include "event/kinds.def"
#undef KIND
});

// "" for a number that is not in the table.
std::string_view name_of(EventType type);
// By name or alias, without case.
std::optional<EventType> event_type_named(std::string_view name);

// A set of event types, one bit each.
using EventTypeSet = uint64_t;
constexpr unsigned kEventTypesMax = 64;
static_assert([] {
  for (const EventTypeInfo& row : kEventTypes) {
    if (static_cast<unsigned>(row.type) >= kEventTypesMax) return false;
  }
  return true;
}());
constexpr EventTypeSet kAllEventTypes = ~EventTypeSet{0};
constexpr EventTypeSet set_of(EventType type) { return EventTypeSet{1} << static_cast<unsigned>(type); }

// Whose names a rule or query is written in.
enum class NameFamily : uint8_t { canonical, ecs, hunting, sigma, falco };

// One meaning of a name: the field, and the event types on which the name means it.
struct NamedField {
  Field field;
  EventTypeSet on;
  NameFamily family;
};

// Every field that `name` stands for, in any family; canonical names first. Exact spelling wins over another case.
// Empty where the name is not known.
std::span<const NamedField> fields_named(std::string_view name);
// The same by the exact spelling alone, for sources whose names differ in case only (`ProcessId`, `ProcessID`).
std::span<const NamedField> fields_spelled(std::string_view name);
// What stands before the name of an attribute where one is written: "attributes.GrantedAccess".
constexpr std::string_view kAttributePrefix = "attributes.";

// Canonical names and aliases, for completion and suggestions.
std::span<const std::string_view> all_field_names();

}  // namespace redoubt::event
