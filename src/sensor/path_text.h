// Paths as the BPF programs send them, made into text. Any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace redoubt::sensor {

// No text field of an event is longer; node and spool allow more.
constexpr size_t kFieldBytesMax = size_t{32} << 10;

// Components leaf first, a NUL behind each, as an absolute path; no component is "/".
std::string path_from_components(std::string_view leaf_first);
// `given` against `base` (absolute), without "." and "..", which are taken away as text.
std::string resolve_path(std::string_view base, std::string_view given);
// What follows the last slash.
std::string_view name_of_path(std::string_view path);
// Arguments with a NUL behind each as one line; says how many bytes are missing when total is greater.
std::string command_line_from(std::string_view arguments, size_t total);
// Valid UTF-8 (other bytes as \xHH) of at most kFieldBytesMax bytes.
std::string field_text(std::string_view bytes);

}  // namespace redoubt::sensor
