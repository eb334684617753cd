// Container ids from cgroup paths. Pure.
#pragma once

#include <string>
#include <string_view>

namespace redoubt::sensor {

// The 64 hexadecimal digits of the innermost component that names a container: bare (docker, containerd), or as
// docker-ID.scope, cri-containerd-ID.scope, crio-ID.scope, libpod-ID.scope and the like. Empty if there is none.
std::string container_id_of(std::string_view cgroup_path);

}  // namespace redoubt::sensor
