// Containers as the kernel and the files of a runtime show them; the runtime is played by directories of the test.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <initializer_list>
#include <string>

#include "base/file.h"
#include "base/hash.h"
#include "sensor/sensor.h"
#include "sensor/test_sensor.h"

namespace redoubt::sensor {
namespace {

// The first of these below /sys/fs/cgroup that is the root of a hierarchy.
std::string first_hierarchy(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const std::string root = "/sys/fs/cgroup" + std::string(name);
    if (access((root + "/cgroup.procs").c_str(), F_OK) == 0) return root;
  }
  return {};
}
// Of version 1, the controllers by which the sensor tells containers apart, in its order.
std::string version_one_root() { return first_hierarchy({"/memory", "/pids", "/devices"}); }
std::string cgroup_root() { return first_hierarchy({"", "/unified", "/memory", "/pids", "/devices"}); }

// A cgroup of the test's own, with all above it that it makes; removed at the end.
class Group {
 public:
  Group(std::string root, const std::string& path) : root_(std::move(root)) {
    for (size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
      const std::string part = root_ + path.substr(0, slash);
      if (mkdir(part.c_str(), 0700) == 0) made_.push_back(part);
      if (slash == std::string::npos) break;
    }
    path_ = root_ + path;
  }
  ~Group() { remove(); }
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  bool exists() const { return access(path_.c_str(), F_OK) == 0; }
  bool enter() const {
    const base::UniqueFd fd(open((path_ + "/cgroup.procs").c_str(), O_WRONLY));
    return fd && write(fd.get(), "0", 1) == 1;
  }
  void remove() {
    for (; !made_.empty(); made_.pop_back()) rmdir(made_.back().c_str());
  }

 private:
  std::string root_;
  std::string path_;
  std::vector<std::string> made_;
};

Collector::Predicate is_container(const std::string& action, const std::string& id) {
  return [=](const v1::Event& event) {
    return event.event_type() == v1::EVENT_TYPE_CONTAINER && event.event_action() == action &&
           event.container_id() == id;
  };
}

// Most share a sensor that knows where their runtime keeps its bundles.
class ContainerTest : public SensorTest {
 protected:
  static void SetUpTestSuite() { state_ = std::make_unique<base::TempDir>(); }
  static void TearDownTestSuite() { state_.reset(); }
  static SensorOptions options() {
    SensorOptions options;
    options.runtimes = {{RuntimeKind::containerd, "", state_->path()}};
    return options;
  }
  // What a runtime leaves of a container before it starts it.
  void write_bundle(const std::string& space, const std::string& id, const std::string& config) {
    const std::string bundle = *state_ / space + "/" + id;
    ASSERT_TRUE(base::make_directories(bundle));
    ASSERT_TRUE(base::write_file_atomic(bundle + "/config.json", config, base::kPrivateFile));
  }
  // A child that enters the cgroup, makes a file, and runs a program.
  pid_t run_in(const Group& group, const std::string& made) {
    const pid_t pid = fork();
    if (pid != 0) return pid;
    if (!group.enter()) _exit(1);
    close(open(made.c_str(), O_WRONLY | O_CREAT, 0600));
    execl("/bin/true", "true", nullptr);
    _exit(127);
  }

  static std::unique_ptr<base::TempDir> state_;
  const std::string id_ = base::to_hex(base::random_bytes(32));
};
std::unique_ptr<base::TempDir> ContainerTest::state_;

TEST_F(ContainerTest, knows_the_container_of_a_process_from_the_moment_it_is_put_there) {
  watch(options());
  const base::TempDir directory;
  Group group(cgroup_root(), "/docker-" + id_ + ".scope");
  ASSERT_TRUE(group.exists());
  const pid_t pid = run_in(group, directory / "made");
  EXPECT_EQ(finish(pid), 0);
  group.remove();
  const auto made = events_.wait_for([&](const v1::Event& event) { return event.file_path() == directory / "made"; });
  ASSERT_TRUE(made);
  EXPECT_EQ(made->container_id(), id_) << "before any exec";
  const auto started = events_.wait_for(is_exec_of(pid));
  ASSERT_TRUE(started);
  EXPECT_EQ(started->container_id(), id_);
  EXPECT_EQ(started->container_runtime(), "docker");
  const auto ended = events_.wait_for(is_end_of(pid));
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->container_id(), id_);
}

TEST_F(ContainerTest, tells_when_a_container_starts_and_ends_once_each) {
  watch(options());
  Group group(cgroup_root(), "/docker-" + id_ + ".scope");
  Group inner(cgroup_root(), "/docker-" + id_ + ".scope/inner");
  ASSERT_TRUE(inner.exists());
  inner.remove();
  group.remove();
  ASSERT_TRUE(events_.wait_for(is_container("ended", id_)));
  EXPECT_EQ(events_.all(is_container("started", id_)).size(), 1U);
  EXPECT_EQ(events_.all(is_container("ended", id_)).size(), 1U);
}

TEST_F(ContainerTest, finds_containers_in_version_1_where_version_2_does_not_show_them) {
  if (version_one_root().empty()) GTEST_SKIP() << "skipped: no cgroup version 1 here";
  Group group(version_one_root(), "/kubepods/burstable/pod1f2e3d4c/" + id_);
  ASSERT_TRUE(group.exists());
  start(options());
  const base::TempDir directory;
  const pid_t pid = run_in(group, directory / "made");
  EXPECT_EQ(finish(pid), 0);
  const auto made = events_.wait_for([&](const v1::Event& event) { return event.file_path() == directory / "made"; });
  ASSERT_TRUE(made);
  EXPECT_EQ(made->container_id(), id_);
  const auto started = events_.wait_for(is_exec_of(pid));
  ASSERT_TRUE(started);
  EXPECT_EQ(started->container_id(), id_);
  EXPECT_EQ(started->orchestrator_resource_id(), "1f2e3d4c");
  group.remove();
  EXPECT_TRUE(events_.wait_for(is_container("ended", id_)));
}

TEST_F(ContainerTest, keeps_the_container_of_a_process_that_leaves_its_cgroup) {
  watch(options());
  const base::TempDir directory;
  Group group(cgroup_root(), "/docker-" + id_ + ".scope");
  Group outside(cgroup_root(), "/redoubt-outside-" + std::to_string(getpid()));
  const pid_t pid = fork();
  if (pid == 0) {
    if (!group.enter() || !outside.enter()) _exit(1);
    execl("/bin/true", "true", nullptr);
    _exit(127);
  }
  EXPECT_EQ(finish(pid), 0);
  const auto started = events_.wait_for(is_exec_of(pid));
  ASSERT_TRUE(started);
  EXPECT_EQ(started->container_id(), id_);
}

TEST_F(ContainerTest, says_what_the_bundle_says) {
  write_bundle("k8s.io", id_, R"({"annotations": {"io.kubernetes.cri.container-name": "web",
      "io.kubernetes.cri.image-name": "docker.io/library/nginx:1.27",
      "io.kubernetes.cri.sandbox-name": "web-6d4cf56db6-x7k2p", "io.kubernetes.cri.sandbox-namespace": "shop",
      "io.kubernetes.cri.sandbox-uid": "1234"},
      "mounts": [{"destination": "/host", "type": "bind", "source": "/", "options": ["rbind", "ro"]}]})");
  watch(options());
  const base::TempDir directory;
  Group group(cgroup_root(), "/kubepods/pod1234/" + id_);
  const pid_t pid = run_in(group, directory / "made");
  EXPECT_EQ(finish(pid), 0);
  const auto started = events_.wait_for(is_exec_of(pid));
  ASSERT_TRUE(started);
  EXPECT_EQ(started->container_name(), "web");
  EXPECT_EQ(started->container_runtime(), "containerd");
  EXPECT_EQ(started->container_image_name(), "docker.io/library/nginx");
  EXPECT_EQ(started->container_image_tag(), "1.27");
  EXPECT_EQ(started->container_privileged(), "false");
  EXPECT_EQ(started->container_mounts(), "/:/host:ro:false:private");
  EXPECT_NEAR(static_cast<double>(started->container_start()), static_cast<double>(started->process_start()), 1e7);
  EXPECT_EQ(started->orchestrator_resource_name(), "web-6d4cf56db6-x7k2p");
  EXPECT_EQ(started->orchestrator_namespace(), "shop");
  EXPECT_EQ(started->orchestrator_resource_id(), "1234");
  EXPECT_EQ(started->orchestrator_resource_parent_type(), "Deployment");
  EXPECT_EQ(started->orchestrator_resource_parent_name(), "web");
  const auto made = events_.wait_for([&](const v1::Event& event) { return event.file_path() == directory / "made"; });
  ASSERT_TRUE(made);
  EXPECT_EQ(made->container_name(), "web");
  EXPECT_FALSE(made->has_container_mounts());
  const auto described = events_.wait_for(is_container("described", id_));
  ASSERT_TRUE(described);
  EXPECT_EQ(described->container_mounts(), started->container_mounts());
}

TEST_F(ContainerTest, knows_containers_that_ran_before_it) {
  write_bundle("default", id_, "{}");
  const base::TempDir directory;
  Group group(cgroup_root(), "/docker/" + id_);
  const std::string gate = directory / "gate";
  ASSERT_EQ(mkfifo(gate.c_str(), 0600), 0);
  const pid_t pid = fork();
  if (pid == 0) {
    if (!group.enter()) _exit(1);
    const std::string script = "echo entered > " + gate + "; read line < " + gate + "; : > " + (directory / "made");
    execl("/bin/sh", "sh", "-c", script.c_str(), nullptr);
    _exit(127);
  }
  {
    EXPECT_TRUE(base::read_file(gate, 100));
  }
  start(options());
  const auto described = events_.wait_for(is_container("described", id_));
  {
    const base::UniqueFd go(open(gate.c_str(), O_WRONLY));
    EXPECT_EQ(write(go.get(), "go\n", 3), 3);
  }
  EXPECT_EQ(finish(pid), 0);
  ASSERT_TRUE(described);
  EXPECT_TRUE(events_.all(is_container("started", id_)).empty());
  const auto made = events_.wait_for([&](const v1::Event& event) { return event.file_path() == directory / "made"; });
  ASSERT_TRUE(made);
  EXPECT_EQ(made->container_id(), id_);
  EXPECT_EQ(made->container_runtime(), "containerd");
}

TEST_F(ContainerTest, knows_containers_that_their_client_has_named) {
  const std::string name = "web-" + std::to_string(getpid());
  write_bundle("default", name, "{}");
  watch(options());
  const base::TempDir directory;
  Group group(cgroup_root(), "/default/" + name);
  Group other(cgroup_root(), "/default/other-" + std::to_string(getpid()));
  const pid_t inside = run_in(group, directory / "inside");
  const pid_t beside = run_in(other, directory / "beside");
  EXPECT_EQ(finish(inside), 0);
  EXPECT_EQ(finish(beside), 0);
  const auto started = events_.wait_for(is_exec_of(inside));
  ASSERT_TRUE(started);
  EXPECT_EQ(started->container_id(), name);
  const auto unknown = events_.wait_for(is_exec_of(beside));
  ASSERT_TRUE(unknown);
  EXPECT_FALSE(unknown->has_container_id());
  group.remove();
  EXPECT_TRUE(events_.wait_for(is_container("ended", name)));
}

}  // namespace
}  // namespace redoubt::sensor
