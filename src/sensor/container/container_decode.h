// Reads the records of the container source. Ring thread; pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sensor/container/container_record.h"

namespace redoubt::sensor {

struct CgroupRecord {
  rd_head head{};
  uint64_t cgroup_id = 0;
  uint32_t hierarchy = 0;  // 0: version 2
  rd_cgroup_action action = RD_CGROUP_MADE;
  std::string path;
};

// Absent if the record is not whole. `record` is aligned to 8 bytes, as the rings hold it.
std::optional<CgroupRecord> decode_cgroup(std::string_view record);

}  // namespace redoubt::sensor
