// The console's files from the configured web directory: an unknown path without an extension is the single page's
// own. Any thread; blocks on the disk.
#pragma once

#include <string>
#include <vector>

#include "central/api/http.h"

namespace redoubt::central {

Response serve_file(const std::string& web_directory, const std::vector<std::string>& segments);

}  // namespace redoubt::central
