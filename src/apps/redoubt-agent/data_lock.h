// One agent a data directory: a lock that the kernel drops when its holder ends, however it ends.
#pragma once

#include <cstdint>
#include <string>

#include "base/file.h"
#include "base/result.h"

namespace redoubt::agent {

// Waits at most wait_ms for it. already_exists: another process holds it.
Result<base::UniqueFd> lock_data(const std::string& data_directory, int64_t wait_ms);

}  // namespace redoubt::agent
