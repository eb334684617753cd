#include "sensor/container/oci_config.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <string>

#include "sensor/container/image_reference.h"
#include "sensor/container/text_lines.h"
#include "sensor/container/workload.h"

namespace redoubt::sensor {

namespace {

namespace dom = simdjson::dom;

constexpr size_t kDepthMax = 32;
constexpr size_t kNameBytesMax = 512;
constexpr size_t kEntriesMax = 4096;  // of any list or map that is looked through

std::string_view text_of(dom::element value) {
  std::string_view text;
  return value.get(text) == simdjson::SUCCESS ? text : std::string_view{};
}

std::string_view text_at(dom::element value, std::string_view key) {
  dom::element inner;
  return value.at_key(key).get(inner) == simdjson::SUCCESS ? text_of(inner) : std::string_view{};
}

template <class Visit>
void each_in_list(dom::element value, std::string_view pointer, Visit&& visit) {
  dom::array list;
  if (value.at_pointer(pointer).get(list) != simdjson::SUCCESS) return;
  size_t seen = 0;
  for (const dom::element entry : list) {
    if (++seen > kEntriesMax) return;
    visit(entry);
  }
}

struct AnnotationRow {
  std::string_view key;
  std::string ContainerFacts::* fact;
};
// The first that is there counts. A sandbox has no name of its own: it has that of its pod.
constexpr auto kAnnotations = std::to_array<AnnotationRow>({
    {"io.kubernetes.cri.container-name", &ContainerFacts::name},
    {"io.kubernetes.container.name", &ContainerFacts::name},
    {"nerdctl/name", &ContainerFacts::name},
    {"io.kubernetes.cri.sandbox-name", &ContainerFacts::name},
    {"io.kubernetes.cri.sandbox-name", &ContainerFacts::pod_name},
    {"io.kubernetes.pod.name", &ContainerFacts::pod_name},
    {"io.kubernetes.cri.sandbox-namespace", &ContainerFacts::pod_namespace},
    {"io.kubernetes.pod.namespace", &ContainerFacts::pod_namespace},
    {"io.kubernetes.cri.sandbox-uid", &ContainerFacts::pod_uid},
    {"io.kubernetes.pod.uid", &ContainerFacts::pod_uid},
});
constexpr auto kImageAnnotations = std::to_array<std::string_view>(
    {"io.kubernetes.cri.image-name", "io.kubernetes.cri-o.ImageName", "org.opencontainers.image.ref.name"});

// CRI-O and podman lay their bundles in one place; each signs its own.
std::string_view runtime_of(dom::element annotations) {
  const std::string_view name = text_at(annotations, "io.container.manager");
  if (name == "libpod") return "podman";
  return name == "cri-o" ? name : std::string_view{};
}

void read_annotations(dom::element root, ContainerFacts& facts) {
  dom::element annotations;
  if (root["annotations"].get(annotations) != simdjson::SUCCESS || !annotations.is_object()) return;
  facts.runtime = runtime_of(annotations);
  for (const AnnotationRow& row : kAnnotations) {
    if ((facts.*row.fact).empty()) facts.*row.fact = bounded_text(text_at(annotations, row.key), kNameBytesMax);
  }
  for (const std::string_view key : kImageAnnotations) {
    const std::string_view image = text_at(annotations, key);
    if (image.empty() || !facts.image_name.empty()) continue;
    ImageReference reference = parse_image_reference(image);
    facts.image_name = std::move(reference.name);
    facts.image_tag = std::move(reference.tag);
    facts.image_digest = std::move(reference.digest);
  }
}

// source:destination:mode:writable:propagation, as Falco writes mounts.
std::string mount_line(dom::element mount) {
  std::string_view mode = "rw";
  std::string_view propagation = "private";
  bool is_bind = text_at(mount, "type") == "bind";
  each_in_list(mount, "/options", [&](dom::element option) {
    const std::string_view text = text_of(option);
    if (text == "bind" || text == "rbind") is_bind = true;
    if (text == "ro" || text == "rro") mode = "ro";
    if (text.ends_with("shared") || text.ends_with("private") || text.ends_with("slave")) propagation = text;
  });
  const std::string_view source = text_at(mount, "source");
  if (!is_bind || !source.starts_with('/')) return {};
  std::string line(source);
  line.append(":").append(text_at(mount, "destination")).append(":").append(mode);
  return line.append(mode == "rw" ? ":true:" : ":false:").append(propagation);
}

std::string mounts_of(dom::element root) {
  TextLines lines;
  each_in_list(root, "/mounts", [&](dom::element mount) {
    if (const std::string line = mount_line(mount); !line.empty()) lines.add(line);
  });
  return lines.take();
}

// What --privileged of every runtime comes to: capabilities that change the host, every device, nothing of /proc
// masked.
Privilege privilege_of(dom::element root) {
  dom::element capabilities;
  if (root.at_pointer("/process/capabilities").get(capabilities) != simdjson::SUCCESS) return Privilege::ordinary;
  size_t telling = 0;
  each_in_list(capabilities, "/bounding", [&](dom::element name) {
    const std::string_view text = text_of(name);
    if (text == "CAP_SYS_ADMIN" || text == "CAP_SYS_MODULE" || text == "CAP_SYS_RAWIO") ++telling;
  });
  bool every_device = false;
  each_in_list(root, "/linux/resources/devices", [&](dom::element rule) {
    bool allow = false;
    if (rule["allow"].get(allow) != simdjson::SUCCESS) return;
    dom::element major;
    const std::string_view type = text_at(rule, "type");
    const bool is_every = (type.empty() || type == "a") && rule["major"].get(major) != simdjson::SUCCESS;
    if (is_every && text_at(rule, "access") == "rwm") every_device = allow;
  });
  bool is_masked = false;
  each_in_list(root, "/linux/maskedPaths", [&](dom::element) { is_masked = true; });
  constexpr size_t kTellingAll = 3;
  return telling >= kTellingAll && every_device && !is_masked ? Privilege::privileged : Privilege::ordinary;
}

}  // namespace

Result<ContainerFacts> read_oci_config(std::string_view json) {
  if (json.size() > kOciConfigBytesMax) return fail(Errc::too_large, "config.json is larger than it may be");
  dom::parser parser;
  if (parser.allocate(json.size() + simdjson::SIMDJSON_PADDING, kDepthMax) != simdjson::SUCCESS) {
    return fail(Errc::io, "no memory to read config.json");
  }
  dom::element root;
  if (const auto error = parser.parse(json.data(), json.size()).get(root); error != simdjson::SUCCESS) {
    return fail(Errc::invalid_argument, std::string("config.json: ") + simdjson::error_message(error));
  }
  if (!root.is_object()) return fail(Errc::invalid_argument, "config.json is no object");
  ContainerFacts facts;
  read_annotations(root, facts);
  facts.mounts = mounts_of(root);
  facts.privilege = privilege_of(root);
  return facts;
}

}  // namespace redoubt::sensor
