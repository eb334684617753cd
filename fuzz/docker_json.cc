// What a Docker or podman socket answers: whoever serves it, and whoever may start a container there, writes it.
#include <cstdint>
#include <string>
#include <string_view>

#include "redoubt/event.pb.h"
#include "sensor/container/docker_json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace sensor = redoubt::sensor;
  const std::string_view json(reinterpret_cast<const char*>(data), size);
  (void)sensor::read_docker_digest(json);
  const auto told = sensor::read_docker_container(json);
  if (!told) return 0;
  sensor::Container container;
  container.facts = told->facts;
  redoubt::v1::Event event;
  sensor::describe_container(container, sensor::ContainerDetail::full, event);
  std::string wire;
  constexpr size_t kEventBytesMax = size_t{64} << 10;
  if (!event.SerializeToString(&wire) || wire.size() > kEventBytesMax) __builtin_trap();
  return 0;
}
