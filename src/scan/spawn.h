// Starts a program with nothing of the node's: no environment but what is said, no descriptors but the log and one
// socket, no signal that is blocked or ignored. Any thread.
#pragma once

#include <sys/types.h>
#include <string>
#include <vector>

#include "base/result.h"

namespace redoubt::scan {

struct SpawnOptions {
  std::string program;  // a path, or a name that the node's PATH knows
  std::vector<std::string> arguments = {};
  std::vector<std::string> environment = {};
  int socket = -1;  // becomes the descriptor below; below 0: none
  int socket_as = 3;
};

Result<pid_t> spawn_bare(const SpawnOptions& options);

}  // namespace redoubt::scan
