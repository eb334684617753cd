// What /proc still knows of a running process: for what the kernel side could not send.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace redoubt::sensor {

struct ProcFacts {
  std::string executable;
  std::string command_line;
  std::string directory;
  std::vector<std::string> cgroups;  // paths, each once, the root left out
};

// Empty texts if the process is gone, or is another one that got the same number.
ProcFacts read_proc(uint32_t pid, uint64_t start_ns);
// Its arguments alone.
std::string read_proc_command_line(uint32_t pid);

}  // namespace redoubt::sensor
