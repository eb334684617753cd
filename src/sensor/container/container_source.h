// Asks for one container whatever on this host may know it: its bundle, then the runtime that made it. Blocks, with
// limits; one thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sensor/container/container.h"
#include "sensor/container/runtime.h"

namespace redoubt::sensor {

// more_may_come: the runtime does not know it yet, or does not answer.
enum class Completeness : uint8_t { complete, more_may_come };

struct SourceAnswer {
  ContainerFacts facts;
  Completeness completeness = Completeness::complete;
};

class ContainerSource {
 public:
  explicit ContainerSource(std::vector<Runtime> runtimes);
  ~ContainerSource();
  ContainerSource(const ContainerSource&) = delete;
  ContainerSource& operator=(const ContainerSource&) = delete;

  SourceAnswer ask(const std::string& id, const std::string& cgroup_path);

 private:
  std::vector<Runtime> runtimes_;
};

}  // namespace redoubt::sensor
