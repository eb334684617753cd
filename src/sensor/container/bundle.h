// Where runtimes keep the bundles of their containers. Reads directories of the host; any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "sensor/container/container.h"
#include "sensor/container/runtime.h"

namespace redoubt::sensor {

struct Bundle {
  const Runtime* runtime = nullptr;  // of the span that was searched
  std::string space;                 // containerd's namespace
  std::string config;                // path of config.json
};

// The bundle of a container; nothing if no runtime has one, or if the id could not be one.
std::optional<Bundle> find_bundle(std::span<const Runtime> runtimes, std::string_view id);

// For a cgroup /NAMESPACE/ID, as containerd makes it for clients that name their containers themselves: the id if there
// is such a bundle, else empty.
std::string id_of_named_container(std::span<const Runtime> runtimes, std::string_view cgroup_path);

// What the bundle says, its runtime's name included.
Result<ContainerFacts> read_bundle(const Bundle& bundle);

}  // namespace redoubt::sensor
