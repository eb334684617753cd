// A container as events tell it: its id, and what its runtime says of it. Values; the ring thread sets them.
#pragma once

#include <cstdint>
#include <string>

namespace redoubt::v1 {
class Event;
}

namespace redoubt::sensor {

enum class Privilege : uint8_t { unknown, ordinary, privileged };

// What a container is. Empty where it is not known.
struct ContainerFacts {
  std::string name;
  std::string runtime;
  std::string image_name;
  std::string image_tag;
  std::string image_digest;
  std::string mounts;  // lines, see fields.def
  std::string labels;  // lines key=value, as all labels and annotations here
  Privilege privilege = Privilege::unknown;
  int64_t start_us = 0;
  std::string pod_name;
  std::string pod_namespace;
  std::string pod_uid;
  std::string pod_labels;
  std::string pod_annotations;
  std::string owner_type;
  std::string owner_name;

  // Takes what is not known yet from the other.
  void complete(const ContainerFacts& other);
};

// pending: being asked for; known: all that can be known; none: nothing more than the cgroup path tells.
enum class FactsState : uint8_t { pending, known, none };

struct Container {
  std::string id;
  std::string cgroup_path;
  int64_t born_ns = 0;  // boottime
  ContainerFacts facts;
  FactsState facts_state = FactsState::none;
};

// brief: what every event of the container's processes carries; full: mounts and annotations too.
enum class ContainerDetail : uint8_t { brief, full };

// Sets the container.* and orchestrator.* fields.
void describe_container(const Container& container, ContainerDetail detail, v1::Event& event);

}  // namespace redoubt::sensor
