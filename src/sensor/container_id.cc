#include "sensor/container_id.h"

#include <algorithm>

namespace redoubt::sensor {

namespace {

constexpr size_t kContainerIdDigits = 64;

bool is_hex_digit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

// [RUNTIME-]ID[.scope]; the runtime's monitor (libpod-conmon-ID, crio-conmon-ID) is not in the container.
std::string_view id_in_component(std::string_view part) {
  if (part.ends_with(".scope")) part.remove_suffix(std::string_view(".scope").size());
  if (part.size() < kContainerIdDigits) return {};
  const std::string_view id = part.substr(part.size() - kContainerIdDigits);
  const std::string_view prefix = part.substr(0, part.size() - kContainerIdDigits);
  if (!std::all_of(id.begin(), id.end(), is_hex_digit)) return {};
  if (!prefix.empty() && (!prefix.ends_with('-') || prefix.ends_with("-conmon-"))) return {};
  return id;
}

}  // namespace

std::string container_id_of(std::string_view cgroup_path) {
  while (!cgroup_path.empty()) {
    const size_t slash = cgroup_path.rfind('/');
    const std::string_view part = slash == std::string_view::npos ? cgroup_path : cgroup_path.substr(slash + 1);
    if (const std::string_view id = id_in_component(part); !id.empty()) return std::string(id);
    cgroup_path = slash == std::string_view::npos ? std::string_view{} : cgroup_path.substr(0, slash);
  }
  return {};
}

}  // namespace redoubt::sensor
