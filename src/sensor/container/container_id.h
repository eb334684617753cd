// Container ids, runtimes and pods from cgroup paths: what a path says before any runtime is asked. Pure.
#pragma once

#include <string>
#include <string_view>

namespace redoubt::sensor {

// The id of the innermost component that names a container: 64 hexadecimal digits, bare (docker, containerd, nerdctl)
// or as docker-ID.scope, cri-containerd-ID.scope, crio-ID, libpod-ID.scope and the like. Empty if there is none.
std::string container_id_of(std::string_view cgroup_path);
// The same, if it is the last component that names it: the container's own cgroup and none below it.
std::string own_container_id_of(std::string_view cgroup_path);
// "docker", "containerd", "cri-o" or "podman", where the path says so; else empty.
std::string_view container_runtime_of(std::string_view cgroup_path);
// The uid of the pod in whose cgroup it is, as both kubepods drivers write it; else empty.
std::string pod_uid_of(std::string_view cgroup_path);

}  // namespace redoubt::sensor
