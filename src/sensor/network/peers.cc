#include "sensor/network/peers.h"

#include <bpf/bpf.h>

#include <vector>

#include "sensor/network/peer.h"

namespace redoubt::sensor {

namespace {

std::vector<rd_peer_key> keys_of(int map) {
  std::vector<rd_peer_key> keys;
  rd_peer_key next{};
  // A key that goes meanwhile makes the walk begin anew.
  for (void* from = nullptr; keys.size() < 2 * size_t{RD_PEERS_MAX}; from = &keys.back()) {
    if (bpf_map_get_next_key(map, from, &next) != 0) break;
    keys.push_back(next);
  }
  return keys;
}

// What was counted up to the very end. Kernels before 5.14 do both in two steps.
bool take_out(int map, const rd_peer_key& key, rd_peer& peer) {
  if (bpf_map_lookup_and_delete_elem(map, &key, &peer) == 0) return true;
  return bpf_map_lookup_elem(map, &key, &peer) == 0 && bpf_map_delete_elem(map, &key) == 0;
}

}  // namespace

void Peers::tell(int64_t now_ns, const Take& take) { look(now_ns, Due::later, take); }
void Peers::tell_all(const Take& take) { look(INT64_MAX, Due::now, take); }

void Peers::look(int64_t now_ns, Due due, const Take& take) {
  for (const rd_peer_key& key : keys_of(map_)) {
    rd_peer peer{};
    if (bpf_map_lookup_elem(map_, &key, &peer) != 0) continue;
    const std::string name(reinterpret_cast<const char*>(&key), sizeof key);
    const bool is_idle = now_ns - static_cast<int64_t>(peer.last_ns) >= kIdleNs;
    if (is_idle && !take_out(map_, key, peer)) continue;
    Told& told = told_[name];
    if (told.time_ns == 0) told.time_ns = peer.first.head.time_ns;
    const bool is_due = due == Due::now || is_idle || now_ns - static_cast<int64_t>(told.time_ns) >= kTellNs;
    if (!is_due) continue;
    if (peer.repeats > told.repeats) {
      rd_connection record = peer.first;
      record.head.time_ns = peer.last_ns;
      record.since_ns = told.time_ns;
      record.count = peer.repeats - told.repeats;
      record.bytes = peer.repeat_bytes - told.bytes;
      take({reinterpret_cast<const char*>(&record), sizeof record});
    }
    told = {.repeats = peer.repeats, .bytes = peer.repeat_bytes, .time_ns = static_cast<uint64_t>(now_ns)};
    if (is_idle) told_.erase(name);
  }
}

}  // namespace redoubt::sensor
