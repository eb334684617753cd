// The container runtimes of a host: where they keep what they run, and where they are asked.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace redoubt::sensor {

// What a runtime speaks on its socket, and how it lays out bundles.
enum class RuntimeKind : uint8_t {
  containerd,  // gRPC: CRI for the namespace k8s.io, its own services else; bundles/NAMESPACE/ID/config.json
  crio,        // gRPC: CRI, as cri-dockerd speaks it too; bundles/ID/userdata/config.json
  docker,      // HTTP; its bundles are those of a containerd, namespace moby
  podman,      // HTTP; bundles/ID/userdata/config.json
};

struct Runtime {
  RuntimeKind kind = RuntimeKind::containerd;
  std::string socket;   // empty: is not asked
  std::string bundles;  // empty: has none of its own

  friend bool operator==(const Runtime&, const Runtime&) = default;
};

// The places that distributions and Kubernetes use. What is not there costs nothing.
std::vector<Runtime> usual_runtimes();

}  // namespace redoubt::sensor
