// The sensor beside a real containerd: containers of its own clients, and pods through CRI. The server runs in
// namespaces of its own (network, mounts, processes), so that all that it starts ends with it; its image is made here
// of one program.
#include <fcntl.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"
#include "base/hash.h"
#include "runtime/cri.grpc.pb.h"
#include "sensor/sensor.h"
#include "sensor/test_events.h"

namespace redoubt::sensor {
namespace {

namespace cri = runtime::v1;

constexpr const char* kImage = "local.test/team/busybox:1";
constexpr const char* kImageName = "local.test/team/busybox";
constexpr auto kServerWait = std::chrono::seconds(60);

pid_t spawn(const std::vector<std::string>& arguments, const std::string& log) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const pid_t pid = fork();
  if (pid != 0) return pid;
  const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  dup2(out, STDOUT_FILENO);
  dup2(out, STDERR_FILENO);
  execvp(argv[0], argv.data());
  _exit(127);
}

int run(const std::vector<std::string>& arguments, const std::string& log) {
  int status = -1;
  waitpid(spawn(arguments, log), &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void write_text(const std::string& path, const std::string& text) {
  ASSERT_TRUE(base::write_file_atomic(path, text, base::kPublicFile));
}

// An image of one program, as a tar of an OCI layout; what it runs by itself is a sandbox's pause.
class Image {
 public:
  explicit Image(const base::TempDir& directory) : root_(directory / "image"), log_(directory / "image.log") {
    const std::string tree = directory / "tree";
    EXPECT_TRUE(base::make_directories(tree + "/bin"));
    EXPECT_EQ(run({"cp", "/bin/busybox", tree + "/bin/busybox"}, log_), 0);
    for (const char* name : {"/proc", "/sys", "/dev", "/etc", "/tmp", "/run", "/host"})
      mkdir((tree + name).c_str(), 0755);
    EXPECT_TRUE(base::make_directories(root_ + "/blobs/sha256"));
    const std::string layer = directory / "layer.tar";
    EXPECT_EQ(run({"tar", "-C", tree, "-cf", layer, "."}, log_), 0);
    const auto layer_bytes = base::read_file(layer, size_t{64} << 20);
    EXPECT_TRUE(layer_bytes);
    const Blob body = put(layer_bytes.value_or(""));
    const Blob config =
        put(R"({"architecture":"amd64","os":"linux","config":{"Entrypoint":["/bin/busybox","sleep","900"]},)"
            R"("rootfs":{"type":"layers","diff_ids":["sha256:)" +
            body.digest + R"("]}})");
    const Blob manifest =
        put(R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":)" +
            descriptor("application/vnd.oci.image.config.v1+json", config, "") + R"(,"layers":[)" +
            descriptor("application/vnd.oci.image.layer.v1.tar", body, "") + "]}");
    digest_ = "sha256:" + manifest.digest;
    write_text(root_ + "/oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
    write_text(root_ + "/index.json",
               R"({"schemaVersion":2,"manifests":[)" +
                   descriptor("application/vnd.oci.image.manifest.v1+json", manifest,
                              R"(,"annotations":{"io.containerd.image.name":")" + std::string(kImage) + "\"}") +
                   "]}");
    tar_ = directory / "image.tar";
    EXPECT_EQ(run({"tar", "-C", root_, "-cf", tar_, "."}, log_), 0);
  }
  const std::string& tar() const { return tar_; }
  const std::string& digest() const { return digest_; }

 private:
  struct Blob {
    std::string digest;
    size_t size;
  };
  Blob put(const std::string& bytes) {
    const std::string digest = base::sha256_hex(bytes);
    write_text(root_ + "/blobs/sha256/" + digest, bytes);
    return {digest, bytes.size()};
  }
  static std::string descriptor(const std::string& type, const Blob& blob, const std::string& more) {
    return R"({"mediaType":")" + type + R"(","digest":"sha256:)" + blob.digest + R"(","size":)" +
           std::to_string(blob.size) + more + "}";
  }

  std::string root_;
  std::string log_;
  std::string tar_;
  std::string digest_;
};

enum class Unified { mounted, absent };

class Server {
 public:
  explicit Server(Unified unified) : image_(directory_) {
    write_text(directory_ / "config.toml", config());
    const std::string hide = unified == Unified::absent ? "umount /sys/fs/cgroup/unified && " : "";
    pid_ = spawn({"unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation",
                  "private", "sh", "-c", hide + "exec containerd -c " + (directory_ / "config.toml")},
                 log());
    const auto deadline = std::chrono::steady_clock::now() + kServerWait;
    while (ctr("k8s.io", {"version"}) != 0 && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    for (const char* space : {"k8s.io", "default"}) {
      EXPECT_EQ(ctr(space, {"images", "import", image_.tar()}), 0) << base::read_file(log(), 1 << 20).value_or("");
    }
    pods_ = cri::RuntimeService::NewStub(grpc::CreateChannel("unix://" + socket(), grpc::InsecureChannelCredentials()));
  }
  ~Server() {
    if (testing::Test::HasFailure()) std::cerr << base::read_file(log(), 1 << 20).value_or("") << "\n";
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  int ctr(const std::string& space, std::vector<std::string> arguments) const {
    std::vector<std::string> whole = {"ctr", "--address", socket(), "--namespace", space};
    whole.insert(whole.end(), arguments.begin(), arguments.end());
    return run(whole, log());
  }
  Runtime runtime() const {
    return {RuntimeKind::containerd, socket(), directory_ / "state/io.containerd.runtime.v2.task"};
  }
  cri::RuntimeService::Stub& pods() { return *pods_; }
  const std::string& digest() const { return image_.digest(); }

 private:
  std::string socket() const { return directory_ / "containerd.sock"; }
  std::string log() const { return directory_ / "log"; }
  std::string config() const {
    return "version = 2\nroot = \"" + (directory_ / "root") + "\"\nstate = \"" + (directory_ / "state") +
           "\"\noom_score = 0\n[grpc]\n  address = \"" + socket() + "\"\n[ttrpc]\n  address = \"" + socket() +
           ".ttrpc\"\n[plugins.\"io.containerd.internal.v1.opt\"]\n  path = \"" + (directory_ / "opt") +
           "\"\n[plugins.\"io.containerd.grpc.v1.cri\"]\n  sandbox_image = \"" + kImage +
           "\"\n  disable_apparmor = true\n  restrict_oom_score_adj = true\n" +
           "  [plugins.\"io.containerd.grpc.v1.cri\".containerd]\n    snapshotter = \"native\"\n" +
           "  [plugins.\"io.containerd.grpc.v1.cri\".cni]\n    bin_dir = \"" + (directory_ / "none") +
           "\"\n    conf_dir = \"" + (directory_ / "none") + "\"\n";
  }

  const base::TempDir directory_;
  const Image image_;
  pid_t pid_ = -1;
  std::unique_ptr<cri::RuntimeService::Stub> pods_;
};

template <class Request, class Response>
Response call(Server& server,
              grpc::Status (cri::RuntimeService::Stub::*method)(grpc::ClientContext*, const Request&, Response*),
              const Request& request) {
  grpc::ClientContext context;
  Response response;
  const grpc::Status status = (server.pods().*method)(&context, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response;
}

class ContainerdTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (geteuid() == 0) server_ = std::make_unique<Server>(Unified::mounted);
  }
  static void TearDownTestSuite() { server_.reset(); }
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "skipped: needs root";
  }
  void start(const Server& server) {
    SensorOptions options{.host_id = "host", .boot_id = "boot"};
    options.runtimes = {server.runtime()};
    auto sensor = Sensor::start(options, events_);
    ASSERT_TRUE(sensor.has_value()) << sensor.error().message;
    sensor_ = *std::move(sensor);
  }
  std::string unique(const std::string& name) const { return name + "-" + std::to_string(getpid()); }

  static Collector::Predicate is_container(const std::string& action, const std::string& id) {
    return [=](const v1::Event& event) {
      return event.event_type() == v1::EVENT_TYPE_CONTAINER && event.event_action() == action &&
             event.container_id() == id;
    };
  }
  static Collector::Predicate is_exec(const std::string& line) {
    return [=](const v1::Event& event) {
      return event.event_type() == v1::EVENT_TYPE_PROCESS && event.process_command_line() == line;
    };
  }

  static std::unique_ptr<Server> server_;
  Collector events_;
  std::unique_ptr<Sensor> sensor_;
};
std::unique_ptr<Server> ContainerdTest::server_;

cri::PodSandboxConfig pod_config(const std::string& name) {
  cri::PodSandboxConfig config;
  config.mutable_metadata()->set_name(name);
  config.mutable_metadata()->set_uid("uid-of-" + name);
  config.mutable_metadata()->set_namespace_("shop");
  (*config.mutable_labels())["app"] = "web";
  (*config.mutable_labels())["pod-template-hash"] = "6d4cf56db6";
  (*config.mutable_annotations())["example.test/team"] = "blue";
  config.mutable_linux()->set_cgroup_parent("/kubepods/burstable/pod0f5e-" + std::to_string(getpid()));
  auto* security = config.mutable_linux()->mutable_security_context();
  security->mutable_namespace_options()->set_network(cri::NODE);
  security->set_privileged(true);
  return config;
}

enum class Rights { ordinary, privileged };

// A pod with one container; removed at the end.
class Pod {
 public:
  Pod(Server& server, std::string name, Rights rights, const std::vector<std::string>& command)
      : server_(server), config_(pod_config(name)) {
    cri::RunPodSandboxRequest run_request;
    *run_request.mutable_config() = config_;
    sandbox_ = call(server_, &cri::RuntimeService::Stub::RunPodSandbox, run_request).pod_sandbox_id();
    cri::CreateContainerRequest request;
    request.set_pod_sandbox_id(sandbox_);
    *request.mutable_sandbox_config() = config_;
    cri::ContainerConfig& container = *request.mutable_config();
    container.mutable_metadata()->set_name("shopfront");
    container.mutable_image()->set_image(kImage);
    for (const std::string& word : command) container.add_command(word);
    cri::Mount& mount = *container.add_mounts();
    mount.set_host_path("/etc");
    mount.set_container_path("/host");
    mount.set_readonly(true);
    (*container.mutable_labels())["tier"] = "front";
    auto* security = container.mutable_linux()->mutable_security_context();
    security->set_privileged(rights == Rights::privileged);
    security->mutable_namespace_options()->set_network(cri::NODE);
    container_ = call(server_, &cri::RuntimeService::Stub::CreateContainer, request).container_id();
    cri::StartContainerRequest start_request;
    start_request.set_container_id(container_);
    call(server_, &cri::RuntimeService::Stub::StartContainer, start_request);
  }
  ~Pod() { remove(); }
  Pod(const Pod&) = delete;
  Pod& operator=(const Pod&) = delete;

  void remove() {
    if (sandbox_.empty()) return;
    cri::StopPodSandboxRequest stop_request;
    stop_request.set_pod_sandbox_id(sandbox_);
    call(server_, &cri::RuntimeService::Stub::StopPodSandbox, stop_request);
    cri::RemovePodSandboxRequest remove_request;
    remove_request.set_pod_sandbox_id(sandbox_);
    call(server_, &cri::RuntimeService::Stub::RemovePodSandbox, remove_request);
    sandbox_.clear();
  }
  const std::string& sandbox() const { return sandbox_; }
  const std::string& container() const { return container_; }

 private:
  Server& server_;
  cri::PodSandboxConfig config_;
  std::string sandbox_;
  std::string container_;
};

TEST_F(ContainerdTest, tells_a_container_that_its_client_named_from_its_first_process_on) {
  start(*server_);
  const std::string id = unique("job");
  EXPECT_EQ(server_->ctr("default", {"run", "--rm", "--label", "team=blue", kImage, id, "/bin/busybox", "echo", id}),
            0);
  const auto ended = events_.wait_for(is_container("ended", id));
  ASSERT_TRUE(ended);
  const auto first = events_.wait_for(is_exec("/bin/busybox echo " + id));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->container_id(), id);
  EXPECT_EQ(first->container_runtime(), "containerd");
  EXPECT_EQ(first->container_privileged(), "false");
  EXPECT_EQ(first->container_image_name(), kImageName);
  EXPECT_EQ(first->container_image_tag(), "1");
  EXPECT_EQ(first->container_image_digest(), server_->digest());
  EXPECT_NE(first->container_labels().find("team=blue"), std::string::npos) << first->container_labels();
  EXPECT_EQ(events_.all(is_container("started", id)).size(), 1U);
  EXPECT_EQ(events_.all(is_container("described", id)).size(), 1U);
}

TEST_F(ContainerdTest, tells_the_pod_of_a_container_with_its_labels_and_owner) {
  start(*server_);
  const std::string name = unique("web") + "-6d4cf56db6-x7k2p";
  const std::string script = "echo " + name;
  Pod pod(*server_, name, Rights::ordinary, {"/bin/busybox", "sh", "-c", script});
  const auto first = events_.wait_for(is_exec("/bin/busybox sh -c " + script));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->container_id(), pod.container());
  EXPECT_EQ(first->container_name(), "shopfront");
  EXPECT_EQ(first->container_runtime(), "containerd");
  EXPECT_EQ(first->container_image_name(), kImageName);
  EXPECT_EQ(first->container_image_tag(), "1");
  EXPECT_EQ(first->container_privileged(), "false");
  EXPECT_EQ(first->container_labels(), "tier=front");
  EXPECT_NE(first->container_mounts().find("/etc:/host:ro:false:"), std::string::npos) << first->container_mounts();
  EXPECT_GT(first->container_start(), 0);
  EXPECT_EQ(first->orchestrator_resource_name(), name);
  EXPECT_EQ(first->orchestrator_namespace(), "shop");
  EXPECT_EQ(first->orchestrator_resource_id(), "uid-of-" + name);
  EXPECT_EQ(first->orchestrator_resource_label(), "app=web\npod-template-hash=6d4cf56db6");
  EXPECT_EQ(first->orchestrator_resource_annotation(), "example.test/team=blue");
  EXPECT_EQ(first->orchestrator_resource_parent_type(), "Deployment");
  EXPECT_EQ(first->orchestrator_resource_parent_name(), unique("web"));
  const auto described = events_.wait_for(is_container("described", pod.container()));
  ASSERT_TRUE(described);
  EXPECT_EQ(described->container_image_digest(), first->container_image_digest());
  EXPECT_EQ(described->container_mounts(), first->container_mounts());

  // The sandbox becomes known to the interface only after its process has started.
  const auto sandbox = events_.wait_for(is_container("described", pod.sandbox()));
  ASSERT_TRUE(sandbox);
  EXPECT_EQ(sandbox->orchestrator_resource_name(), name);
  EXPECT_EQ(sandbox->orchestrator_resource_label(), first->orchestrator_resource_label());

  pod.remove();
  EXPECT_TRUE(events_.wait_for(is_container("ended", pod.container())));
  EXPECT_EQ(events_.all(is_container("started", pod.container())).size(), 1U);
}

TEST_F(ContainerdTest, tells_privileged_containers) {
  start(*server_);
  const std::string name = unique("root");
  Pod pod(*server_, name, Rights::privileged, {"/bin/busybox", "echo", name});
  const auto first = events_.wait_for(is_exec("/bin/busybox echo " + name));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->container_id(), pod.container());
  EXPECT_EQ(first->container_privileged(), "true");
}

TEST_F(ContainerdTest, describes_containers_that_ran_before_the_sensor) {
  const std::string name = unique("old");
  Pod pod(*server_, name, Rights::ordinary, {"/bin/busybox", "sleep", "600"});
  start(*server_);
  const auto described = events_.wait_for(is_container("described", pod.container()));
  ASSERT_TRUE(described);
  EXPECT_EQ(described->container_name(), "shopfront");
  EXPECT_EQ(described->orchestrator_resource_name(), name);
  EXPECT_GT(described->container_start(), 0);
}

TEST_F(ContainerdTest, finds_containers_where_version_2_is_not_mounted) {
  if (access("/sys/fs/cgroup/unified/cgroup.procs", F_OK) != 0) GTEST_SKIP() << "skipped: cgroup version 2 alone here";
  Server server(Unified::absent);
  start(server);
  const std::string name = unique("v1");
  Pod pod(server, name, Rights::ordinary, {"/bin/busybox", "echo", name});
  const auto first = events_.wait_for(is_exec("/bin/busybox echo " + name));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->container_id(), pod.container());
  EXPECT_EQ(first->container_name(), "shopfront");
  EXPECT_EQ(first->orchestrator_resource_name(), name);
}

}  // namespace
}  // namespace redoubt::sensor
