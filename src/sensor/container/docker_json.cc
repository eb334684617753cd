#include "sensor/container/docker_json.h"

#include <simdjson.h>

#include "base/time.h"
#include "sensor/container/label_text.h"
#include "sensor/container/runtime_client.h"

namespace redoubt::sensor {

namespace {

using Json = simdjson::dom::element;

constexpr size_t kDockerDepthMax = 32;
constexpr size_t kDockerEntriesMax = 1024;

Result<Json> parse_docker(simdjson::dom::parser& parser, std::string_view json) {
  if (json.size() > kRuntimeAnswerBytesMax) return fail(Errc::too_large, "the answer is larger than it may be");
  if (parser.allocate(json.size() + simdjson::SIMDJSON_PADDING, kDockerDepthMax) != simdjson::SUCCESS) {
    return fail(Errc::io, "no memory to read the answer");
  }
  Json root;
  if (const auto error = parser.parse(json.data(), json.size()).get(root); error != simdjson::SUCCESS) {
    return fail(Errc::invalid_argument, std::string("the answer is no JSON: ") + simdjson::error_message(error));
  }
  if (!root.is_object()) return fail(Errc::invalid_argument, "the answer is no object");
  return root;
}

std::string_view docker_text(Json value, std::string_view pointer) {
  std::string_view text;
  return value.at_pointer(pointer).get(text) == simdjson::SUCCESS ? text : std::string_view{};
}

LabelMap docker_labels(Json root) {
  LabelMap labels;
  simdjson::dom::object object;
  if (root.at_pointer("/Config/Labels").get(object) != simdjson::SUCCESS) return labels;
  for (const auto& [key, value] : object) {
    std::string_view text;
    if (labels.size() < kDockerEntriesMax && value.get(text) == simdjson::SUCCESS) labels.emplace(key, text);
  }
  return labels;
}

std::string docker_mounts(Json root) {
  TextLines lines;
  simdjson::dom::array mounts;
  if (root.at_pointer("/Mounts").get(mounts) != simdjson::SUCCESS) return {};
  size_t seen = 0;
  for (const Json mount : mounts) {
    if (++seen > kDockerEntriesMax) break;
    bool writable = false;
    const bool told = mount.at_pointer("/RW").get(writable) == simdjson::SUCCESS;
    std::string_view propagation = docker_text(mount, "/Propagation");
    if (propagation.empty()) propagation = "private";
    std::string line(docker_text(mount, "/Source"));
    line.append(":").append(docker_text(mount, "/Destination")).append(writable || !told ? ":rw:true:" : ":ro:false:");
    lines.add(line.append(propagation));
  }
  return lines.take();
}

struct DockerLabelRow {
  std::string_view key;
  std::string ContainerFacts::* fact;
};
// What the kubelet writes on containers that it has Docker make.
constexpr DockerLabelRow kKubeletLabels[] = {
    {"io.kubernetes.container.name", &ContainerFacts::name},
    {"io.kubernetes.pod.name", &ContainerFacts::pod_name},
    {"io.kubernetes.pod.namespace", &ContainerFacts::pod_namespace},
    {"io.kubernetes.pod.uid", &ContainerFacts::pod_uid},
};

}  // namespace

Result<DockerContainer> read_docker_container(std::string_view json) {
  simdjson::dom::parser parser;
  TRY(const Json root, parse_docker(parser, json));
  DockerContainer container;
  ContainerFacts& facts = container.facts;
  const LabelMap labels = docker_labels(root);
  for (const DockerLabelRow& row : kKubeletLabels) {
    const auto label = labels.find(row.key);
    if (label != labels.end()) facts.*row.fact = bounded_text(label->second, kRuntimeNameBytesMax);
  }
  std::string_view name = docker_text(root, "/Name");
  if (name.starts_with('/')) name.remove_prefix(1);
  if (facts.name.empty()) facts.name = bounded_text(name, kRuntimeNameBytesMax);
  set_image(facts, docker_text(root, "/Config/Image"));
  facts.labels = label_lines(labels);
  facts.mounts = docker_mounts(root);
  if (bool privileged = false; root.at_pointer("/HostConfig/Privileged").get(privileged) == simdjson::SUCCESS) {
    facts.privilege = privileged ? Privilege::privileged : Privilege::ordinary;
  }
  if (const auto created = base::parse_time(docker_text(root, "/Created"))) facts.start_us = created->us;
  container.image_id = bounded_text(docker_text(root, "/Image"), kRuntimeNameBytesMax);
  return container;
}

Result<std::string> read_docker_digest(std::string_view json) {
  simdjson::dom::parser parser;
  TRY(const Json root, parse_docker(parser, json));
  return parse_image_reference(docker_text(root, "/RepoDigests/0")).digest;
}

}  // namespace redoubt::sensor
