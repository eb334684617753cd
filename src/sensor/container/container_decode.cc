#include "sensor/container/container_decode.h"

#include <cstddef>

namespace redoubt::sensor {

std::optional<CgroupRecord> decode_cgroup(std::string_view record) {
  constexpr size_t kFixed = offsetof(rd_cgroup, path);
  if (record.size() < kFixed) return std::nullopt;
  const auto& raw = *reinterpret_cast<const rd_cgroup*>(record.data());
  const std::string_view path = record.substr(kFixed, raw.path_bytes);
  if (path.size() != raw.path_bytes || raw.action < RD_CGROUP_MADE || raw.action > RD_CGROUP_ATTACHED) {
    return std::nullopt;
  }
  return CgroupRecord{.head = raw.head,
                      .cgroup_id = raw.cgroup_id,
                      .hierarchy = raw.hierarchy,
                      .action = static_cast<rd_cgroup_action>(raw.action),
                      .path = std::string(path.substr(0, path.find('\0')))};
}

}  // namespace redoubt::sensor
