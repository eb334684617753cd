// What Docker and podman answer of containers and images. Any thread; pure.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "sensor/container/container.h"

namespace redoubt::sensor {

struct DockerContainer {
  ContainerFacts facts;
  std::string image_id;
};

// The answer of /containers/ID/json.
Result<DockerContainer> read_docker_container(std::string_view json);
// The digest in the answer of /images/ID/json: of the repository, if it was pulled from one; else empty.
Result<std::string> read_docker_digest(std::string_view json);

}  // namespace redoubt::sensor
