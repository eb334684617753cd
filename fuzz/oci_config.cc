// config.json of a container's bundle, and the names that are taken apart in it: anyone's who may start a container.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/text.h"
#include "redoubt/event.pb.h"
#include "sensor/container/oci_config.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace sensor = redoubt::sensor;
  const auto facts = sensor::read_oci_config({reinterpret_cast<const char*>(data), size});
  if (!facts) return 0;
  sensor::Container container;
  container.facts = *facts;
  redoubt::v1::Event event;
  sensor::describe_container(container, sensor::ContainerDetail::full, event);
  std::string wire;
  if (!event.SerializeToString(&wire) || !redoubt::base::is_utf8(container.facts.mounts)) __builtin_trap();
  constexpr size_t kEventBytesMax = size_t{64} << 10;
  if (wire.size() > kEventBytesMax) __builtin_trap();
  return 0;
}
