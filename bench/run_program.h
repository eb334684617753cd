// Runs a program to its end, without output; its CPU is then among that of this process's children.
#pragma once

#include <string>
#include <vector>

namespace redoubt::bench {

void run_program(const std::vector<std::string>& words);

}  // namespace redoubt::bench
