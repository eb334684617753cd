// Which hash a field of type hash holds, and how long such a hash is written. Any thread.
#pragma once

#include <cstddef>
#include <string_view>

#include "event/field.h"

namespace redoubt::query {

struct HashKind {
  std::string_view ending;  // of the field's name
  std::string_view name;    // "SHA-256"
  size_t digits;            // hexadecimal
};

// Of a field of type hash.
const HashKind& hash_kind(event::Field field);
bool is_hash(const HashKind& kind, std::string_view text);

}  // namespace redoubt::query
