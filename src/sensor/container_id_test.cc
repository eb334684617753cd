#include "sensor/container_id.h"

#include <gtest/gtest.h>

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
