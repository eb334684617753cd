// Where rules and recordings of others are. Programs that ask are compiled with REDOUBT_SOURCE_DIR.
#pragma once

#include <cstdlib>
#include <string>

namespace redoubt::bench {

inline std::string corpora_directory() {
  const char* const set = std::getenv("REDOUBT_CORPORA");
  return set != nullptr ? set : std::string(REDOUBT_SOURCE_DIR) + "/../shared/corpora";
}

}  // namespace redoubt::bench
