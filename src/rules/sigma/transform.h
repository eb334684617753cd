// Modifiers that turn a text into other texts (`windash`, `wide`, `base64offset`…). Any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "rules/sigma/problem.h"

namespace redoubt::rules::sigma {

enum class Transform : uint8_t { expand, windash, utf16le, utf16be, utf16, base64, base64offset };

// Everything that `text` (read by read_wildcards) becomes, modifier by modifier. `expand` is none of them: it comes
// before escapes are read.
std::vector<std::string> transform_text(std::string text, std::span<const Transform> transforms, Place place,
                                        Problems& problems);

}  // namespace redoubt::rules::sigma
