#include "central/prevalence/command_shape.h"

#include <algorithm>
#include <array>

namespace redoubt::central {

namespace {

constexpr std::array<std::string_view, 3> kTemporary = {"/tmp/", "/dev/shm/", "/run/user/"};
constexpr size_t kMixedLeast = 6;  // a shorter word of letters and digits is a name, such as x86 or mp3
constexpr size_t kHexLeast = 16;   // letters alone can be a number too

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
}
bool is_word(char c) { return is_digit(c) || is_letter(c); }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// A word without its number at the end: "python3" is a name and a number, "4f1c2a" is neither.
std::string_view name_of_word(std::string_view word) {
  while (!word.empty() && is_digit(word.back())) word.remove_suffix(1);
  return word;
}

// Letters for digits in their groups: 8-4-4-4-12.
constexpr std::string_view kUuid = "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh";

bool begins_with_uuid(std::string_view text) {
  if (text.size() < kUuid.size() || (text.size() > kUuid.size() && is_word(text[kUuid.size()]))) return false;
  for (size_t i = 0; i < kUuid.size(); ++i) {
    if (kUuid[i] == 'h' ? !is_hex(text[i]) : text[i] != '-') return false;
  }
  return true;
}

void put_word(std::string& shape, std::string_view word) {
  const std::string_view name = name_of_word(word);
  const bool is_mixed = word.size() >= kMixedLeast && std::any_of(name.begin(), name.end(), is_digit);
  const bool is_long_hex = word.size() >= kHexLeast && std::all_of(word.begin(), word.end(), is_hex);
  if (is_mixed || (is_long_hex && !name.empty())) {
    shape += '*';
    return;
  }
  shape += name;
  if (name.size() < word.size()) shape += '0';
}

// What follows a directory of temporary files: how long its name is, up to the ending or the next directory.
size_t temporary_name(std::string_view rest) {
  size_t end = 0;
  while (end < rest.size() && (is_word(rest[end]) || rest[end] == '_' || rest[end] == '-' || rest[end] == '+')) ++end;
  return end;
}

}  // namespace

std::string command_shape(std::string_view command_line) {
  std::string shape;
  while (!command_line.empty() && shape.size() < kCommandShapeMax) {
    const auto* const temporary = std::find_if(kTemporary.begin(), kTemporary.end(), [&](std::string_view directory) {
      return command_line.starts_with(directory);
    });
    if (temporary != kTemporary.end()) {
      shape += *temporary;
      command_line.remove_prefix(temporary->size());
      const size_t name = temporary_name(command_line);
      if (name > 0) shape += '*';
      command_line.remove_prefix(name);
      continue;
    }
    size_t end = 0;
    while (end < command_line.size() && is_word(command_line[end])) ++end;
    if (end == 0) {
      shape += command_line.front();
      command_line.remove_prefix(1);
      continue;
    }
    if (begins_with_uuid(command_line)) {
      shape += '*';
      end = kUuid.size();
    } else {
      put_word(shape, command_line.substr(0, end));
    }
    command_line.remove_prefix(end);
  }
  shape.resize(std::min(shape.size(), kCommandShapeMax));
  return shape;
}

}  // namespace redoubt::central
