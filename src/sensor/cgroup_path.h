// From a cgroup's id to its path, for losses, whose processes nobody remembers. Ring thread only.
#pragma once

#include <cstdint>
#include <string>

#include "base/file.h"

namespace redoubt::sensor {

// The root of the version 2 hierarchy, whether alone or beside version 1; not open if there is none.
base::UniqueFd open_cgroup_root();

class CgroupPaths {
 public:
  CgroupPaths();
  // Path below the version 2 hierarchy, such as /system.slice/nginx.service; empty if there is no such cgroup any more,
  // or no such hierarchy.
  std::string find(uint64_t cgroup_id) const;

 private:
  std::string mount_;
  base::UniqueFd root_;
};

}  // namespace redoubt::sensor
