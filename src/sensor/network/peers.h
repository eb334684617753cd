// Datagrams that the programs count instead of telling each. Tells how many there were since the last time, at most
// once every kTellNs for a peer, and forgets peers that were silent for kIdleNs; the next datagram of such a peer is
// told at once again. Ring thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace redoubt::sensor {

class Peers {
 public:
  // `map` is that of the programs and stays theirs.
  explicit Peers(int map) : map_(map) {}

  using Take = std::function<void(std::string_view record)>;
  // Hands over an rd_connection for each peer whose count is due.
  void tell(int64_t now_ns, const Take& take);
  // For each peer with a count that was not told.
  void tell_all(const Take& take);

  static constexpr int64_t kTellNs = 60'000'000'000;
  static constexpr int64_t kIdleNs = 120'000'000'000;

 private:
  struct Told {
    uint64_t repeats = 0;
    uint64_t bytes = 0;
    uint64_t time_ns = 0;
  };
  enum class Due { now, later };
  void look(int64_t now_ns, Due due, const Take& take);

  int map_;
  std::unordered_map<std::string, Told> told_;  // by the key's bytes; no more entries than the map has
};

}  // namespace redoubt::sensor
