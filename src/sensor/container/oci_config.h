// The config.json of an OCI bundle: what every runtime writes down of a container before it starts it. The content is
// anyone's who may start a container: bounded in size, depth and count. Any thread.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/result.h"
#include "sensor/container/container.h"

namespace redoubt::sensor {

constexpr size_t kOciConfigBytesMax = size_t{2} << 20;

// Name, image, pod, mounts of the host and privilege, as far as annotations of containerd, CRI-O and nerdctl tell them.
Result<ContainerFacts> read_oci_config(std::string_view json);

}  // namespace redoubt::sensor
