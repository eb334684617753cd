#include "sensor/network/connecting.h"

#include <bpf/bpf.h>

#include <vector>

#include "sensor/network/network_record.h"

namespace redoubt::sensor {

namespace {

constexpr size_t kLateMax = 8192;  // the map has no more

}  // namespace

void Connecting::tell(int64_t before_ns, const Take& take) const {
  std::vector<uint64_t> late;
  uint64_t key = 0;
  uint64_t next = 0;
  // A key that goes meanwhile makes the walk begin anew.
  for (void* from = nullptr; late.size() < kLateMax && bpf_map_get_next_key(map_, from, &next) == 0; from = &key) {
    key = next;
    rd_connection record{};
    if (bpf_map_lookup_elem(map_, &key, &record) != 0) continue;
    if (static_cast<int64_t>(record.head.time_ns) < before_ns) late.push_back(key);
  }
  for (const uint64_t socket : late) {
    rd_connection record{};
    if (bpf_map_lookup_elem(map_, &socket, &record) != 0 || static_cast<int64_t>(record.head.time_ns) >= before_ns)
      continue;
    // Who takes the entry out tells it: the programs may have done so meanwhile.
    if (bpf_map_delete_elem(map_, &socket) != 0) continue;
    take({reinterpret_cast<const char*>(&record), sizeof record});
  }
}

}  // namespace redoubt::sensor
