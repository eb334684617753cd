// What libbpf complains of, in the agent's log.
#pragma once

#include <string>

namespace redoubt::sensor {

// From here on, for the whole process.
void log_libbpf();
// The program that the kernel, or libbpf before it, refused to load since the last call; empty if there was none.
std::string take_refused_program();

}  // namespace redoubt::sensor
