#include "sensor/container/container.h"

#include "redoubt/event.pb.h"

namespace redoubt::sensor {

namespace {

struct TextRow {
  std::string ContainerFacts::* fact;
  void (*set)(v1::Event& event, const std::string& text);
  ContainerDetail detail;
};

#define REDOUBT_FACT(fact, field, detail) \
  {&ContainerFacts::fact, [](v1::Event& event, const std::string& text) { event.set_##field(text); }, detail}

constexpr TextRow kTexts[] = {
    REDOUBT_FACT(name, container_name, ContainerDetail::brief),
    REDOUBT_FACT(runtime, container_runtime, ContainerDetail::brief),
    REDOUBT_FACT(image_name, container_image_name, ContainerDetail::brief),
    REDOUBT_FACT(image_tag, container_image_tag, ContainerDetail::brief),
    REDOUBT_FACT(image_digest, container_image_digest, ContainerDetail::brief),
    REDOUBT_FACT(labels, container_labels, ContainerDetail::brief),
    REDOUBT_FACT(mounts, container_mounts, ContainerDetail::full),
    REDOUBT_FACT(pod_name, orchestrator_resource_name, ContainerDetail::brief),
    REDOUBT_FACT(pod_namespace, orchestrator_namespace, ContainerDetail::brief),
    REDOUBT_FACT(pod_uid, orchestrator_resource_id, ContainerDetail::brief),
    REDOUBT_FACT(pod_labels, orchestrator_resource_label, ContainerDetail::brief),
    REDOUBT_FACT(pod_annotations, orchestrator_resource_annotation, ContainerDetail::full),
    REDOUBT_FACT(owner_type, orchestrator_resource_parent_type, ContainerDetail::brief),
    REDOUBT_FACT(owner_name, orchestrator_resource_parent_name, ContainerDetail::brief),
};

#undef REDOUBT_FACT

}  // namespace

void ContainerFacts::complete(const ContainerFacts& other) {
  for (const TextRow& row : kTexts) {
    if ((this->*row.fact).empty()) this->*row.fact = other.*row.fact;
  }
  if (privilege == Privilege::unknown) privilege = other.privilege;
  if (start_us == 0) start_us = other.start_us;
}

void describe_container(const Container& container, ContainerDetail detail, v1::Event& event) {
  event.set_container_id(container.id);
  const ContainerFacts& facts = container.facts;
  for (const TextRow& row : kTexts) {
    const bool wanted = row.detail == ContainerDetail::brief || detail == ContainerDetail::full;
    if (wanted && !(facts.*row.fact).empty()) row.set(event, facts.*row.fact);
  }
  if (facts.privilege != Privilege::unknown) {
    event.set_container_privileged(facts.privilege == Privilege::privileged ? "true" : "false");
  }
  if (facts.start_us != 0) event.set_container_start(facts.start_us);
}

}  // namespace redoubt::sensor
