#include "sensor/container/oci_config.h"

#include <gtest/gtest.h>

namespace redoubt::sensor {
namespace {

TEST(OciConfig, tells_a_pods_container_of_containerd) {
  const auto facts = read_oci_config(R"({
    "ociVersion": "1.0.2", "process": {"args": ["sh"], "capabilities": {"bounding": ["CAP_CHOWN"]}},
    "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
               {"destination": "/etc/hosts", "type": "bind", "source": "/var/lib/kubelet/pods/1/etc-hosts",
                "options": ["rbind", "rprivate", "rw"]},
               {"destination": "/host", "type": "bind", "source": "/", "options": ["rbind", "rslave", "ro"]}],
    "annotations": {"io.kubernetes.cri.container-name": "web", "io.kubernetes.cri.container-type": "container",
                    "io.kubernetes.cri.image-name": "docker.io/library/nginx:1.27",
                    "io.kubernetes.cri.sandbox-name": "web-0", "io.kubernetes.cri.sandbox-namespace": "shop",
                    "io.kubernetes.cri.sandbox-uid": "1234"},
    "linux": {"maskedPaths": ["/proc/kcore"], "resources": {"devices": [{"allow": false, "access": "rwm"}]}}})");
  ASSERT_TRUE(facts) << facts.error().message;
  EXPECT_EQ(facts->name, "web");
  EXPECT_EQ(facts->image_name, "docker.io/library/nginx");
  EXPECT_EQ(facts->image_tag, "1.27");
  EXPECT_EQ(facts->pod_name, "web-0");
  EXPECT_EQ(facts->pod_namespace, "shop");
  EXPECT_EQ(facts->pod_uid, "1234");
  EXPECT_EQ(facts->privilege, Privilege::ordinary);
  EXPECT_EQ(facts->mounts, "/var/lib/kubelet/pods/1/etc-hosts:/etc/hosts:rw:true:rprivate\n/:/host:ro:false:rslave");
}

TEST(OciConfig, tells_who_signed_bundles_that_lie_in_one_place) {
  const auto crio = read_oci_config(
      R"({"annotations": {"io.container.manager": "cri-o", "io.kubernetes.container.name": "db",
          "io.kubernetes.pod.name": "db-0", "io.kubernetes.cri-o.ImageName": "quay.io/x/db@sha256:ab"}})");
  ASSERT_TRUE(crio);
  EXPECT_EQ(crio->runtime, "cri-o");
  EXPECT_EQ(crio->name, "db");
  EXPECT_EQ(crio->image_name, "quay.io/x/db");
  EXPECT_EQ(crio->image_digest, "sha256:ab");
  EXPECT_EQ(read_oci_config(R"({"annotations": {"io.container.manager": "libpod"}})")->runtime, "podman");
  EXPECT_EQ(read_oci_config(R"({"annotations": {"io.container.manager": "x"}})")->runtime, "");
}

std::string with(const std::string& capabilities, const std::string& devices, const std::string& masked) {
  return R"({"process": {"capabilities": {"bounding": [)" + capabilities + R"(]}}, "linux": {"maskedPaths": [)" +
         masked + R"(], "resources": {"devices": [)" + devices + "]}}}";
}

TEST(OciConfig, calls_privileged_what_may_do_all_and_hides_nothing) {
  const std::string all = R"("CAP_SYS_ADMIN", "CAP_SYS_MODULE", "CAP_SYS_RAWIO")";
  const std::string every_device = R"({"allow": false, "access": "rwm"}, {"allow": true, "access": "rwm"})";
  EXPECT_EQ(read_oci_config(with(all, every_device, ""))->privilege, Privilege::privileged);
  EXPECT_EQ(read_oci_config(with(R"("CAP_SYS_ADMIN")", every_device, ""))->privilege, Privilege::ordinary);
  EXPECT_EQ(read_oci_config(with(all, R"({"allow": true, "type": "c", "major": 1, "access": "rwm"})", ""))->privilege,
            Privilege::ordinary);
  EXPECT_EQ(read_oci_config(with(all, every_device, R"("/proc/kcore")"))->privilege, Privilege::ordinary);
}

TEST(OciConfig, refuses_what_is_none) {
  EXPECT_FALSE(read_oci_config(""));
  EXPECT_FALSE(read_oci_config("[]"));
  EXPECT_FALSE(read_oci_config("{\"annotations\": "));
  EXPECT_FALSE(read_oci_config(std::string(100, '[')));
  EXPECT_EQ(read_oci_config(std::string(kOciConfigBytesMax + 1, ' ')).error().code, Errc::too_large);
}

TEST(OciConfig, bears_members_of_any_kind) {
  for (const char* json : {R"({"annotations": []})", R"({"annotations": {"io.kubernetes.pod.name": 7}})",
                           R"({"mounts": {"a": 1}, "process": 3, "linux": {"resources": [], "maskedPaths": {}}})",
                           R"({"mounts": [1, "x", {"type": "bind"}, {"options": [1]}]})"}) {
    EXPECT_TRUE(read_oci_config(json)) << json;
  }
}

}  // namespace
}  // namespace redoubt::sensor
