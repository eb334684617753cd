#include "sensor/container/container_id.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>

namespace redoubt::sensor {
namespace {

const std::string kSomeId = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const std::string kOtherId(64, 'f');

TEST(ContainerId, is_found_in_the_paths_of_the_known_runtimes) {
  for (const std::string& path : {
           "/docker/" + kSomeId,
           "/system.slice/docker-" + kSomeId + ".scope",
           "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1_2.slice/cri-containerd-" + kSomeId +
               ".scope",
           "/kubepods/besteffort/pod9b6c/" + kSomeId,
           "/kubepods.slice/kubepods-pod1.slice/crio-" + kSomeId + ".scope",
           "/machine.slice/libpod-" + kSomeId + ".scope",
           "/machine.slice/libpod-" + kSomeId + ".scope/container",
           "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + kSomeId + ".scope/init.scope",
       }) {
    EXPECT_EQ(container_id_of(path), kSomeId) << path;
  }
}

TEST(ContainerId, is_the_innermost_one) {
  EXPECT_EQ(container_id_of("/docker/" + kOtherId + "/docker/" + kSomeId), kSomeId);
}

TEST(ContainerId, is_told_by_its_own_cgroup_and_none_below) {
  EXPECT_EQ(own_container_id_of("/machine.slice/libpod-" + kSomeId + ".scope"), kSomeId);
  EXPECT_EQ(own_container_id_of("/machine.slice/libpod-" + kSomeId + ".scope/container"), "");
  EXPECT_EQ(own_container_id_of("/docker/" + kOtherId + "/docker/" + kSomeId), kSomeId);
  EXPECT_EQ(own_container_id_of(""), "");
}

TEST(ContainerId, comes_with_its_runtime_where_the_path_says_so) {
  const std::pair<std::string, std::string> rows[] = {
      {"/docker/" + kSomeId, "docker"},
      {"/system.slice/docker-" + kSomeId + ".scope", "docker"},
      {"/kubepods.slice/kubepods-pod1_2.slice/cri-containerd-" + kSomeId + ".scope", "containerd"},
      {"/kubepods/besteffort/pod9b6c-1/crio-" + kSomeId, "cri-o"},
      {"/user.slice/nerdctl-" + kSomeId + ".scope", "containerd"},
      {"/libpod_parent/libpod-" + kSomeId, "podman"},
      {"/machine.slice/libpod-" + kSomeId + ".scope/container", "podman"},
      {"/kubepods/besteffort/pod9b6c-1/" + kSomeId, ""},
      {"/xdocker/" + kSomeId, ""},
      {"/system.slice/cron.service", ""},
  };
  for (const auto& [path, runtime] : rows) EXPECT_EQ(container_runtime_of(path), runtime) << path;
}

TEST(ContainerId, comes_with_the_uid_of_its_pod) {
  const std::string uid = "3f1e6b0a-8a55-4d6e-9f0c-0a3c7a1b2c3d";
  std::string escaped = uid;
  std::replace(escaped.begin(), escaped.end(), '-', '_');
  EXPECT_EQ(pod_uid_of("/kubepods/burstable/pod" + uid + "/" + kSomeId), uid);
  EXPECT_EQ(pod_uid_of("/kubepods/pod" + uid + "/crio-" + kSomeId), uid);
  EXPECT_EQ(pod_uid_of("/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" + escaped +
                       ".slice/cri-containerd-" + kSomeId + ".scope"),
            uid);
  EXPECT_EQ(pod_uid_of("/kubepods.slice/kubepods-pod" + escaped + ".slice/docker-" + kSomeId + ".scope"), uid);
  EXPECT_EQ(pod_uid_of("/docker/" + kSomeId), "");
  EXPECT_EQ(pod_uid_of("/kubepods/podium/" + kSomeId), "");
}

TEST(ContainerId, is_empty_elsewhere) {
  for (const std::string& path :
       {std::string(), std::string("/"), std::string("/system.slice/cron.service"), "/docker/" + kSomeId.substr(1),
        "/docker/x" + kSomeId, "/docker/" + kSomeId + "0", "/machine.slice/libpod-conmon-" + kSomeId + ".scope",
        "/docker/" + std::string(64, 'F')}) {
    EXPECT_EQ(container_id_of(path), "") << path;
  }
}

}  // namespace
}  // namespace redoubt::sensor
