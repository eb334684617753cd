// What can be said of a configuration's folders before any file is touched.
#pragma once

#include "base/result.h"
#include "gateway/folder/settings.h"

namespace redoubt::gateway::folder {

// Every folder is there and may be written to; no output or quarantine lies where a set looks for files, which would be
// scanned for ever.
Status check_folders(const Settings& settings);

}  // namespace redoubt::gateway::folder
