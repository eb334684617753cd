#include "sensor/container/container_source.h"

#include <utility>

#include "sensor/container/bundle.h"
#include "sensor/container/container_id.h"
#include "sensor/container/workload.h"

namespace redoubt::sensor {

ContainerSource::ContainerSource(std::vector<Runtime> runtimes) : runtimes_(std::move(runtimes)) {}
ContainerSource::~ContainerSource() = default;

SourceAnswer ContainerSource::ask(const std::string& id, const std::string& cgroup_path) {
  SourceAnswer answer;
  if (const auto bundle = find_bundle(runtimes_, id)) {
    if (Result<ContainerFacts> facts = read_bundle(*bundle)) answer.facts = *std::move(facts);
  }
  answer.facts.complete(
      {.runtime = std::string(container_runtime_of(cgroup_path)), .pod_uid = pod_uid_of(cgroup_path)});
  if (answer.facts.owner_type.empty()) {
    Workload owner = workload_of(answer.facts.pod_name, {}, {});
    answer.facts.owner_type = std::move(owner.type);
    answer.facts.owner_name = std::move(owner.name);
  }
  return answer;
}

}  // namespace redoubt::sensor
