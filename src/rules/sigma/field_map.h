// Sigma's field names: which of our fields they are, and where their values are written in another way. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "event/field.h"
#include "rules/sigma/problem.h"

namespace redoubt::rules::sigma {

// How the values of a Sigma field become values of ours.
enum class Notation : uint8_t {
  same,
  initiated,  // true: outbound, false: inbound
  hash_list,  // "SHA256=…"
};

struct FieldMeaning {
  std::vector<event::Field> fields;  // several where a name covers them all
  Notation notation = Notation::same;
};

// Looks a name of the Sigma family up, or a canonical one, spelled exactly, on events of the given types.
std::optional<FieldMeaning> find_field(std::string_view name, event::EventTypeSet types, Place place,
                                       Problems& problems);

// All that the name means, each with the event types on which it does; none and a problem where it is not known.
std::vector<event::NamedField> find_meanings(std::string_view name, Place place, Problems& problems);

// The value in our writing; nothing where it has none.
std::optional<std::string> translate_value(Notation notation, std::string_view value);

// A hash of a kind that no event here has ("MD5=…"): as one of several values it is one that never holds.
bool is_other_hash(std::string_view value);

}  // namespace redoubt::rules::sigma
