// Where rules and recordings of others are. Programs that ask are compiled with REDOUBT_SOURCE_DIR.
#pragma once

#include <cstdlib>
#include <string>

namespace redoubt::tests {

// The folder of the corpora; a test skips where what it needs of it is missing.
inline std::string corpora_directory() {
  const char* const set = std::getenv("REDOUBT_CORPORA");
  return set != nullptr ? set : std::string(REDOUBT_SOURCE_DIR) + "/../shared/corpora";
}

}  // namespace redoubt::tests
