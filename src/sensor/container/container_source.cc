#include "sensor/container/container_source.h"

#include <unistd.h>

#include "sensor/container/bundle.h"
#include "sensor/container/container_id.h"
#include "sensor/container/workload.h"

namespace redoubt::sensor {

namespace {

constexpr std::string_view kPodsNamespace = "k8s.io";
constexpr size_t kClientsMax = 64;

bool is_there(const std::string& socket) { return !socket.empty() && access(socket.c_str(), F_OK) == 0; }

bool speaks_cri(RuntimeKind kind) { return kind == RuntimeKind::containerd || kind == RuntimeKind::crio; }

}  // namespace

SourceAnswer ContainerSource::ask(const std::string& id, const std::string& cgroup_path) {
  SourceAnswer answer;
  const ContainerFacts told_by_path{.runtime = std::string(container_runtime_of(cgroup_path)),
                                    .pod_uid = pod_uid_of(cgroup_path)};
  for (const Question& question : questions(id, cgroup_path, answer.facts)) {
    Result<ContainerFacts> facts = client(question).describe(id);
    if (facts) {
      // Of names and images the runtime knows more than the bundle; of mounts and privilege the bundle.
      facts->mounts = answer.facts.mounts.empty() ? std::move(facts->mounts) : std::string();
      facts->complete(answer.facts);
      answer.facts = *std::move(facts);
      answer.completeness = Completeness::complete;
      break;
    }
    if (facts.error().code != Errc::unavailable) answer.completeness = Completeness::more_may_come;
  }
  answer.facts.complete(told_by_path);
  if (answer.facts.owner_type.empty() && answer.facts.pod_labels.empty()) {
    Workload owner = workload_of(answer.facts.pod_name, {}, {});
    answer.facts.owner_type = std::move(owner.type);
    answer.facts.owner_name = std::move(owner.name);
  }
  return answer;
}

std::vector<ContainerSource::Question> ContainerSource::questions(const std::string& id, const std::string& cgroup_path,
                                                                  ContainerFacts& facts) const {
  const std::optional<Bundle> bundle = find_bundle(runtimes_, id);
  if (bundle) {
    if (Result<ContainerFacts> read = read_bundle(*bundle)) facts = *std::move(read);
  }
  std::vector<Question> asked;
  const bool is_of_containerd = bundle && bundle->runtime->kind == RuntimeKind::containerd && facts.runtime != "docker";
  if (is_of_containerd && is_there(bundle->runtime->socket)) {
    const bool is_of_pod = bundle->space == kPodsNamespace;
    return {{is_of_pod ? Api::cri : Api::containerd, bundle->runtime->socket, is_of_pod ? "" : bundle->space}};
  }
  const std::string_view name = facts.runtime.empty() ? container_runtime_of(cgroup_path) : facts.runtime;
  const bool is_of_pod = cgroup_path.find("kubepods") != std::string::npos;
  for (const Runtime& runtime : runtimes_) {
    if (!is_there(runtime.socket)) continue;
    const bool is_docker = runtime.kind == RuntimeKind::docker && (name == "docker" || name.empty());
    const bool is_podman = runtime.kind == RuntimeKind::podman && (name == "podman" || name.empty());
    if (is_docker || is_podman) asked.push_back({Api::docker, runtime.socket, ""});
    if (speaks_cri(runtime.kind) && (is_of_pod || name == "cri-o")) {
      asked.insert(asked.begin(), {Api::cri, runtime.socket, ""});
    }
  }
  return asked;
}

RuntimeClient& ContainerSource::client(const Question& question) {
  const std::string key = std::to_string(static_cast<int>(question.api)) + question.socket + "\n" + question.space;
  if (clients_.size() >= kClientsMax) clients_.clear();
  std::unique_ptr<RuntimeClient>& client = clients_[key];
  if (client != nullptr) return *client;
  switch (question.api) {
    case Api::cri: client = make_cri_client(question.socket); break;
    case Api::containerd: client = make_containerd_client(question.socket, question.space); break;
    case Api::docker: client = make_docker_client(question.socket); break;
  }
  return *client;
}

}  // namespace redoubt::sensor
