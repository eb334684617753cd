#include "sensor/container/docker_json.h"

#include <gtest/gtest.h>

#include "sensor/container/runtime_client.h"

namespace redoubt::sensor {
namespace {

TEST(DockerJson, tells_a_container) {
  const auto container = read_docker_container(R"({"Id": "ab", "Created": "2026-11-25T16:20:00.5Z", "Name": "/web",
    "Image": "sha256:0123", "Config": {"Image": "nginx:1.27", "Labels": {"b": "2", "a": "1", "n": 7}},
    "HostConfig": {"Privileged": true},
    "Mounts": [{"Type": "bind", "Source": "/", "Destination": "/host", "Mode": "", "RW": false, "Propagation": "rslave"},
               {"Type": "volume", "Source": "/var/lib/docker/volumes/x/_data", "Destination": "/data", "RW": true}]})");
  ASSERT_TRUE(container) << container.error().message;
  const ContainerFacts& facts = container->facts;
  EXPECT_EQ(facts.name, "web");
  EXPECT_EQ(facts.image_name, "nginx");
  EXPECT_EQ(facts.image_tag, "1.27");
  EXPECT_EQ(facts.labels, "a=1\nb=2");
  EXPECT_EQ(facts.privilege, Privilege::privileged);
  EXPECT_EQ(facts.mounts, "/:/host:ro:false:rslave\n/var/lib/docker/volumes/x/_data:/data:rw:true:private");
  EXPECT_EQ(facts.start_us % 1'000'000, 500'000);
  EXPECT_EQ(container->image_id, "sha256:0123");
}

TEST(DockerJson, knows_the_pod_that_the_kubelet_wrote_down) {
  const auto container = read_docker_container(R"({"Name": "/k8s_web_web-0_shop_1_0", "Config": {"Labels": {
    "io.kubernetes.container.name": "web", "io.kubernetes.pod.name": "web-0", "io.kubernetes.pod.namespace": "shop",
    "io.kubernetes.pod.uid": "1"}}})");
  ASSERT_TRUE(container);
  EXPECT_EQ(container->facts.name, "web");
  EXPECT_EQ(container->facts.pod_name, "web-0");
  EXPECT_EQ(container->facts.pod_namespace, "shop");
  EXPECT_EQ(container->facts.pod_uid, "1");
}

TEST(DockerJson, tells_the_digest_of_an_image) {
  EXPECT_EQ(*read_docker_digest(R"({"RepoDigests": ["nginx@sha256:ab"]})"), "sha256:ab");
  EXPECT_EQ(*read_docker_digest(R"({"RepoDigests": []})"), "");
  EXPECT_EQ(*read_docker_digest("{}"), "");
}

TEST(DockerJson, refuses_what_is_none) {
  EXPECT_FALSE(read_docker_container(""));
  EXPECT_FALSE(read_docker_container("[1]"));
  EXPECT_FALSE(read_docker_container(std::string(100, '[')));
  EXPECT_EQ(read_docker_container(std::string(kRuntimeAnswerBytesMax + 1, ' ')).error().code, Errc::too_large);
}

}  // namespace
}  // namespace redoubt::sensor
