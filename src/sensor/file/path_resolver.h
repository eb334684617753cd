// The real path behind one that a caller gave, found by the kernel in the caller's own view of the files, right after
// the call. Only for calls that leave no descriptor to ask. Ring thread; waits for no disk: names that are not in the
// kernel's cache are not found.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/file.h"

namespace redoubt::sensor {

// What becomes of a symbolic link at the end of the path.
enum class LastLink { followed, kept };

struct GivenPath {
  uint32_t pid = 0;
  uint32_t parent_pid = 0;
  uint32_t mount_namespace = 0;  // inode number in nsfs
  std::string base;              // absolute, from the kernel
  std::string given;
  LastLink last = LastLink::kept;
};

class PathResolver {
 public:
  virtual ~PathResolver() = default;
  // The path without links, "." and ".."; nothing if it cannot be found now.
  virtual std::optional<std::string> resolve(const GivenPath& path) = 0;
};

class KernelPathResolver : public PathResolver {
 public:
  KernelPathResolver();
  std::optional<std::string> resolve(const GivenPath& path) override;

 private:
  base::UniqueFd root_of(const GivenPath& path) const;
  std::optional<std::string> real_path(int root_fd, const std::string& path, LastLink last) const;
  std::optional<std::string> ask_kernel(int root_fd, const std::string& path, LastLink last) const;

  uint32_t own_mount_namespace_ = 0;
  std::string own_proc_;  // a path under it was resolved for the wrong process
};

}  // namespace redoubt::sensor
