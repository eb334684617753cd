// Checksums of files, whatever their size. Any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace redoubt::store {

struct FileChecksum {
  uint64_t bytes = 0;
  uint64_t checksum = 0;  // XXH3-64, never 0
};

// Reads the file through and hands on each piece.
Result<FileChecksum> read_with_checksum(const std::string& path, const std::function<Status(std::string_view)>& take);
// Reads the file through, piece by piece; `each` is asked before every piece and may end it.
Result<FileChecksum> checksum_of_file(const std::string& path, const std::function<Status()>& each = {});

}  // namespace redoubt::store
