#include "sensor/cgroup_path.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <cstring>
#include <vector>

#include "sensor/path_text.h"

namespace redoubt::sensor {

namespace {

// Where the version 2 hierarchy is mounted: alone, or beside version 1.
constexpr std::array kMounts = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
constexpr int kKernfsHandle = 0xfe;  // FILEID_KERNFS of the kernel: the id alone

std::string cgroup_mount() {
  for (const char* const mount : kMounts) {
    if (access((std::string(mount) + "/cgroup.procs").c_str(), F_OK) == 0) return mount;
  }
  return {};
}

}  // namespace

base::UniqueFd open_cgroup_root() {
  const std::string mount = cgroup_mount();
  return base::UniqueFd(mount.empty() ? -1 : open(mount.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

CgroupPaths::CgroupPaths() : mount_(cgroup_mount()), root_(open_cgroup_root()) {}

std::string CgroupPaths::find(uint64_t cgroup_id) const {
  if (!root_ || cgroup_id == 0) return {};
  std::vector<uint64_t> space((sizeof(file_handle) + sizeof cgroup_id) / sizeof(uint64_t) + 1);
  auto* const handle = reinterpret_cast<file_handle*>(space.data());
  handle->handle_bytes = sizeof cgroup_id;
  handle->handle_type = kKernfsHandle;
  memcpy(handle->f_handle, &cgroup_id, sizeof cgroup_id);
  const base::UniqueFd group(open_by_handle_at(root_.get(), handle, O_PATH | O_CLOEXEC));
  if (!group) return {};
  std::array<char, PATH_MAX> path;
  const std::string link = "/proc/self/fd/" + std::to_string(group.get());
  const ssize_t size = readlink(link.c_str(), path.data(), path.size());
  const std::string_view whole(path.data(), size > 0 ? static_cast<size_t>(size) : 0);
  if (!whole.starts_with(mount_)) return {};
  const std::string_view below = whole.substr(mount_.size());
  return below.empty() ? "/" : field_text(below);
}

}  // namespace redoubt::sensor
