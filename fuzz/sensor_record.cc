// Records of the rings: the kernel side is ours, the names, arguments and paths in them are anyone's. The first byte
// says which source.
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "redoubt/event.pb.h"
#include "sensor/container/container_decode.h"
#include "sensor/container/container_id.h"
#include "sensor/file/file_decode.h"
#include "sensor/kernel_change/kernel_change_decode.h"
#include "sensor/network/network_decode.h"
#include "sensor/privilege/privilege_decode.h"
#include "sensor/process/process_decode.h"
#include "sensor/tamper/tamper_decode.h"

namespace {

void read_path(const std::string& path) {
  namespace sensor = redoubt::sensor;
  const std::string id = sensor::container_id_of(path);
  if (id.empty() ? !sensor::container_runtime_of(path).empty() : id.size() != 64) __builtin_trap();
  (void)sensor::own_container_id_of(path);
  (void)sensor::pod_uid_of(path);
}

void read_exec(std::string_view record) {
  const auto exec = redoubt::sensor::decode_exec(record);
  if (!exec) return;
  for (const std::string* text :
       {&exec->executable, &exec->command_line, &exec->directory, &exec->tty, &exec->script, &exec->variables}) {
    if (!redoubt::base::is_utf8(*text)) __builtin_trap();
  }
  redoubt::v1::Event event;
  redoubt::sensor::describe_start(*exec, event);
  read_path(exec->cgroup);
  read_path(exec->cgroup_v1);
}

void read_security(std::string_view record, redoubt::v1::Event& event) {
  namespace sensor = redoubt::sensor;
  if (const auto change = sensor::decode_privilege(record)) {
    (void)sensor::describe_privilege(*change, event);
    sensor::describe_change({}, sensor::identity_of(change->head.actor, change->context), event);
  }
  if (const auto trace = sensor::decode_trace(record)) (void)sensor::describe_trace(*trace, event);
  if (const auto tamper = sensor::decode_tamper(record)) event.set_signal_name(sensor::signal_name(tamper->signal));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace sensor = redoubt::sensor;
  if (size == 0) return 0;
  // Aligned as the rings hold it, and on the heap to the byte.
  const size_t bytes = size - 1;
  std::vector<uint64_t> words((bytes + 7) / 8);
  if (bytes > 0) std::memcpy(words.data(), data + 1, bytes);
  const std::string_view record(reinterpret_cast<const char*>(words.data()), bytes);
  redoubt::v1::Event event;
  switch (data[0] % 7) {
    case 0: read_exec(record); break;
    case 1: (void)sensor::decode_exit(record); break;
    case 2: (void)sensor::decode_file(record, event); break;
    case 3: (void)sensor::decode_connection(record, event); break;
    case 4:
      if (const auto cgroup = sensor::decode_cgroup(record)) read_path(cgroup->path);
      break;
    case 5: (void)sensor::decode_kernel_change(record, event); break;
    default: read_security(record, event);
  }
  std::string wire;
  if (!event.SerializeToString(&wire)) __builtin_trap();
  return 0;
}
