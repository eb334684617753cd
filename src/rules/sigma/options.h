// What reading rules depends on besides their text.
#pragma once

#include <cstdint>

#include "rules/sigma/placeholders.h"

namespace redoubt::rules::sigma {

// `any`: a log source or field that has no events here is taken as if it had, so that the rest of a rule can be judged;
// such rules match nothing that they are meant for.
enum class Vocabulary : uint8_t { known, any };

struct ReadOptions {
  Placeholders placeholders;
  Vocabulary vocabulary = Vocabulary::known;
};

}  // namespace redoubt::rules::sigma
