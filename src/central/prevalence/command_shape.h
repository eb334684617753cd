// The shape of a command line: what stays the same when a program is started the same way again. Pure.
#pragma once

#include <string>
#include <string_view>

namespace redoubt::central {

constexpr size_t kCommandShapeMax = 1024;  // bytes of it; what follows is left out

// Numbers become 0, words in which letters and digits are mixed (hashes, names of temporary files, identifiers) become
// *, as does what is named in a directory of temporary files: "gcc -o /tmp/ccQx.o a12.c" and "gcc -o /tmp/ccPy.o a7.c"
// are both "gcc -o /tmp/*.o a0.c".
std::string command_shape(std::string_view command_line);

}  // namespace redoubt::central
