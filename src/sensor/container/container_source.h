// Asks for one container whatever on this host may know it: its bundle, then the runtime that made it. Blocks, with
// limits; one thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sensor/container/container.h"
#include "sensor/container/runtime.h"
#include "sensor/container/runtime_client.h"

namespace redoubt::sensor {

// more_may_come: the runtime does not know it yet, or does not answer.
enum class Completeness : uint8_t { complete, more_may_come };

struct SourceAnswer {
  ContainerFacts facts;
  Completeness completeness = Completeness::complete;
};

class ContainerSource {
 public:
  explicit ContainerSource(std::vector<Runtime> runtimes) : runtimes_(std::move(runtimes)) {}

  SourceAnswer ask(const std::string& id, const std::string& cgroup_path);

 private:
  enum class Api : uint8_t { cri, containerd, docker };
  // Who to ask in turn, the likeliest first.
  struct Question {
    Api api;
    std::string socket;
    std::string space;  // containerd's namespace
  };
  std::vector<Question> questions(const std::string& id, const std::string& cgroup_path, ContainerFacts& facts) const;
  RuntimeClient& client(const Question& question);

  std::vector<Runtime> runtimes_;
  // Connections are kept: one that cannot be made is tried again when it is next needed.
  std::map<std::string, std::unique_ptr<RuntimeClient>> clients_;
};

}  // namespace redoubt::sensor
