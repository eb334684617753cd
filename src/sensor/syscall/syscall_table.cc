#include "sensor/syscall/syscall_table.h"

#include <algorithm>

namespace redoubt::sensor {

namespace {

// Whether `holds` is true of every name in the list.
template <typename Predicate>
bool all_names(std::string_view names, Predicate holds) {
  while (!names.empty()) {
    const size_t end = std::min(names.find(' '), names.size());
    if (!holds(names.substr(0, end))) return false;
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  return true;
}

}  // namespace

bool is_known_activity(std::string_view name) {
  return name == kUnixConnect ||
         std::any_of(kSyscallHandlers.begin(), kSyscallHandlers.end(), [&](const SyscallHandler& handler) {
           return !all_names(handler.makes, [&](std::string_view made) { return made != name; });
         });
}

std::string function_of(const SyscallHandler& handler) {
  return "__x64_sys_" + std::string(handler.call == "umount2" ? "umount" : handler.call);
}

bool is_unwanted(const SyscallHandler& handler, std::span<const std::string> unwanted) {
  return !handler.makes.empty() && all_names(handler.makes, [&](std::string_view made) {
    return std::find(unwanted.begin(), unwanted.end(), made) != unwanted.end();
  });
}

}  // namespace redoubt::sensor
