#include "sensor/container/runtime.h"

namespace redoubt::sensor {

std::vector<Runtime> usual_runtimes() {
  const std::string tasks = "/io.containerd.runtime.v2.task";
  const std::string storage = "/containers/storage/overlay-containers";
  return {
      {RuntimeKind::containerd, "/run/containerd/containerd.sock", "/run/containerd" + tasks},
      {RuntimeKind::containerd, "/run/k3s/containerd/containerd.sock", "/run/k3s/containerd" + tasks},
      {RuntimeKind::containerd, "/run/k0s/containerd.sock", "/run/k0s/containerd" + tasks},
      {RuntimeKind::containerd, "/var/snap/microk8s/common/run/containerd.sock",
       "/var/snap/microk8s/common/run/containerd" + tasks},
      {RuntimeKind::containerd, "/run/docker/containerd/containerd.sock", "/run/docker/containerd/daemon" + tasks},
      {RuntimeKind::crio, "/run/crio/crio.sock", "/run" + storage},
      {RuntimeKind::crio, "/run/cri-dockerd.sock", ""},
      {RuntimeKind::docker, "/run/docker.sock", ""},
      {RuntimeKind::podman, "/run/podman/podman.sock", "/run" + storage},
  };
}

}  // namespace redoubt::sensor
