// The HTTP proxy that stands between this host and its node, from a file, since its address may hold a password.
#pragma once

#include <string>

#include "base/result.h"

namespace redoubt::agent {

// "http://[user:password@]host:port"; empty for an empty path.
Result<std::string> read_proxy(const std::string& path);

}  // namespace redoubt::agent
