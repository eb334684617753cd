// The sensor beside a real Docker, in namespaces of its own, without networks.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"
#include "sensor/sensor.h"
#include "sensor/test_events.h"

namespace redoubt::sensor {
namespace {

constexpr auto kDockerWait = std::chrono::seconds(60);

class DockerTest : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "skipped: needs root";
    const std::string tree = directory_ / "tree";
    ASSERT_TRUE(base::make_directories(tree + "/bin"));
    ASSERT_EQ(run({"cp", "/bin/busybox", tree + "/bin/busybox"}), 0);
    ASSERT_EQ(run({"tar", "-C", tree, "-cf", directory_ / "image.tar", "."}), 0);
    server_ = spawn({"unshare",
                     "--net",
                     "--mount",
                     "--pid",
                     "--fork",
                     "--kill-child",
                     "--mount-proc",
                     "--propagation",
                     "private",
                     "dockerd",
                     "--data-root",
                     directory_ / "data",
                     "--exec-root",
                     directory_ / "exec",
                     "--pidfile",
                     directory_ / "pid",
                     "--host",
                     "unix://" + socket(),
                     "--bridge=none",
                     "--iptables=false",
                     "--ip6tables=false",
                     "--storage-driver=vfs"});
    const auto deadline = std::chrono::steady_clock::now() + kDockerWait;
    while (docker({"version"}) != 0 && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
    ASSERT_EQ(docker({"import", directory_ / "image.tar", "local/team/busybox:1"}), 0);
    SensorOptions options{.host_id = "host", .boot_id = "boot"};
    options.runtimes = {
        {RuntimeKind::containerd, "", directory_ / "exec/containerd/daemon/io.containerd.runtime.v2.task"},
        {RuntimeKind::docker, socket(), ""}};
    auto sensor = Sensor::start(options, events_);
    ASSERT_TRUE(sensor.has_value()) << sensor.error().message;
    sensor_ = *std::move(sensor);
  }
  void TearDown() override {
    if (HasFailure()) std::cerr << base::read_file(directory_ / "log", 1 << 20).value_or("") << "\n";
    if (server_ <= 0) return;
    kill(server_, SIGKILL);
    waitpid(server_, nullptr, 0);
  }

  int docker(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"/usr/bin/docker", "--host", "unix://" + socket()});
    return run(arguments);
  }
  // What a program in a container of this name and these options tells: its start, and the container's description.
  void run_container(const std::string& name, std::vector<std::string> options) {
    options.insert(options.begin(), {"run", "--network", "none", "--name", name});
    for (const char* word : {"local/team/busybox:1", "/bin/busybox", "echo"}) options.emplace_back(word);
    options.push_back(name);
    ASSERT_EQ(docker(options), 0);
    const auto first = events_.wait_for([&](const v1::Event& event) {
      return event.event_type() == v1::EVENT_TYPE_PROCESS &&
             event.process_command_line() == "/bin/busybox echo " + name;
    });
    ASSERT_TRUE(first);
    first_ = *first;
    const auto described = events_.wait_for([&](const v1::Event& event) {
      return event.event_action() == "described" && event.container_id() == first_.container_id();
    });
    ASSERT_TRUE(described);
    described_ = *described;
  }

  v1::Event first_;
  v1::Event described_;

 private:
  std::string socket() const { return directory_ / "docker.sock"; }
  pid_t spawn(const std::vector<std::string>& arguments) const {
    std::vector<char*> argv;
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    const pid_t pid = fork();
    if (pid != 0) return pid;
    const int out = open((directory_ / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    execvp(argv[0], argv.data());
    _exit(127);
  }
  int run(const std::vector<std::string>& arguments) const {
    const int status = finish(spawn(arguments));
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  const base::TempDir directory_;
  pid_t server_ = -1;
  Collector events_;
  std::unique_ptr<Sensor> sensor_;
};

TEST_F(DockerTest, tells_its_containers) {
  const std::string name = "web-" + std::to_string(getpid());
  run_container(name, {"--label", "team=blue", "--volume", "/etc:/host:ro"});
  EXPECT_EQ(first_.container_id().size(), 64U);
  EXPECT_EQ(first_.container_runtime(), "docker");
  EXPECT_EQ(described_.container_name(), name);
  EXPECT_EQ(described_.container_runtime(), "docker");
  EXPECT_EQ(described_.container_image_name(), "local/team/busybox");
  EXPECT_EQ(described_.container_image_tag(), "1");
  EXPECT_EQ(described_.container_labels(), "team=blue");
  EXPECT_EQ(described_.container_privileged(), "false");
  EXPECT_NE(described_.container_mounts().find("/etc:/host:ro:false:"), std::string::npos)
      << described_.container_mounts();
  EXPECT_GT(described_.container_start(), 0);
}

}  // namespace
}  // namespace redoubt::sensor
