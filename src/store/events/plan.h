// What a hunt asks of a store, whatever its engine: the fields that it reads, and whether a part of the store can hold
// anything for it. Any thread.
#pragma once

#include <functional>

#include "query/hunt.h"

namespace redoubt::store {

constexpr bool has_field(const event::FieldSet& set, event::Field field) {
  const auto position = static_cast<size_t>(field);
  return (set[position / 64] >> (position % 64) & 1) != 0;
}
constexpr void add_field(event::FieldSet& set, event::Field field) {
  const auto position = static_cast<size_t>(field);
  set[position / 64] |= uint64_t{1} << (position % 64);
}

using TestCheck = std::function<bool(const query::Test&)>;

// The fields that the condition looks at, in the tests that are `read`.
event::FieldSet fields_of(const query::Expression& where, const TestCheck& read);
// Those of the whole hunt: of its condition, its order, and what it shows or counts.
event::FieldSet fields_of(const query::Hunt& hunt);
// Those that are needed to find events, or to count them, but not to show them.
event::FieldSet fields_searched(const query::Hunt& hunt, const TestCheck& read);

// False only if the condition is true of no event where `may_hold` is false of every test that it would take. What is
// negated may always hold.
bool may_match(const query::Expression& where, const TestCheck& may_hold);

// The types of the events that the condition is true of, where it asks for nothing but types.
std::optional<event::EventTypeSet> types_only(const query::Expression& where);

}  // namespace redoubt::store
