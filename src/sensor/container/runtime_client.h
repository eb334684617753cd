// One runtime that is asked about one container at a time. What it answers is bounded and not trusted. Blocks, at most
// kRuntimeCallMs a call; one thread.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "sensor/container/container.h"

namespace redoubt::sensor {

constexpr int kRuntimeCallMs = 1000;
constexpr size_t kRuntimeAnswerBytesMax = size_t{4} << 20;

class RuntimeClient {
 public:
  virtual ~RuntimeClient() = default;
  // not_found: the runtime does not know it, or not yet. unavailable: there is no such runtime.
  virtual Result<ContainerFacts> describe(const std::string& id) = 0;
};

// The Kubernetes Container Runtime Interface: containerd, CRI-O, cri-dockerd.
std::unique_ptr<RuntimeClient> make_cri_client(const std::string& socket);
// containerd's own services, for one of its namespaces.
std::unique_ptr<RuntimeClient> make_containerd_client(const std::string& socket, const std::string& space);
// Docker's HTTP API, which podman serves too.
std::unique_ptr<RuntimeClient> make_docker_client(const std::string& socket);

}  // namespace redoubt::sensor
