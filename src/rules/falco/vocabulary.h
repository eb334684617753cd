// Falco's own names: event types and fields, whether or not something here produces them. Any thread.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "rules/falco/filter.h"

namespace redoubt::rules::falco {

constexpr size_t kEventNamesMax = 512;
// A set of event types by their position in event_names.def.
using EventNameSet = std::bitset<kEventNamesMax>;

std::span<const std::string_view> event_names();
std::optional<size_t> event_name_index(std::string_view name);
EventNameSet all_event_names();

enum class ValueType : uint8_t { text, number, boolean, address, network, bytes, list };

// The type of a field's value; nothing where Falco has no such field.
std::optional<ValueType> type_of_field(std::string_view name);
std::string nearest_field(std::string_view name);
// Whether Falco compares values of the type in that way.
bool operator_fits(ValueType type, CheckOperator op);

// The event types on which the condition can be true, by set algebra over its tests of evt.type. Macros are resolved.
EventNameSet event_types_of(const Filter& filter);

}  // namespace redoubt::rules::falco
