// Copies of files that survive a crash. Any thread.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "store/file_checksum.h"

namespace redoubt::store {

// `to` has its name when it is whole and synced (its directory is not), mode 0600, and the source's time of change. The
// checksum is of what was read. `each` is asked before every piece and may end it.
Result<FileChecksum> copy_file(const std::string& from, const std::string& to,
                               const std::function<Status()>& each = {});

// Has the file the size and time of change of the other, or is it the same?
bool is_copy_of(const std::string& copy, const std::string& source);

}  // namespace redoubt::store
