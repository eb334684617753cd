// What runtimes say of containers, asked on a thread of its own: a runtime may be slow, or hang. All members are called
// by the ring thread.
#pragma once

#include <memory>
#include <vector>

#include "base/result.h"
#include "sensor/container/container.h"
#include "sensor/container/runtime.h"

namespace redoubt::sensor {

// For events that wait, or for those that may come.
enum class LookupUrgency : uint8_t { now, later };

class ContainerLookup {
 public:
  static Result<std::unique_ptr<ContainerLookup>> start(std::vector<Runtime> runtimes);
  ~ContainerLookup();  // joins
  ContainerLookup(const ContainerLookup&) = delete;
  ContainerLookup& operator=(const ContainerLookup&) = delete;

  // Marks the container pending and asks for it; leaves it as it is where too many are asked for.
  void want(const std::shared_ptr<Container>& container, LookupUrgency urgency);
  // Completes containers with what has become known; returns those of which nothing more will come.
  std::vector<std::shared_ptr<Container>> collect();
  // Becomes readable when there is something to collect.
  int event_fd() const;

  static constexpr size_t kAskedMax = 4096;

 private:
  struct State;
  explicit ContainerLookup(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace redoubt::sensor
