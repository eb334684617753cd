// Applies the node's policy: which file and network events of this host are not told. The latest policy is kept in the
// data directory and holds from the next start on, node or no node. apply() and the figures: any thread; excludes() is
// for the sensor's ring thread, and waits for a short lock at most.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "link/host_policy.h"

namespace redoubt::v1 {
class Event;
}

namespace redoubt::agent {

class PolicyFilter {
 public:
  // What was kept at `path` is applied; what cannot be read is none.
  explicit PolicyFilter(std::string path);

  // Durable on return. Refused as a whole if any entry is malformed.
  Status apply(const link::HostPolicy& policy);
  bool excludes(const v1::Event& event) const;

  uint64_t version() const { return version_; }
  uint64_t excluded() const { return excluded_; }

 private:
  struct Network {
    std::array<unsigned char, 16> bytes{};  // IPv4 as ::ffff:a.b.c.d
    int bits = 0;
  };
  struct Compiled {
    std::unordered_set<std::string> programs;
    std::vector<std::string> paths;
    std::vector<Network> networks;
  };
  static Result<Network> compile_network(const std::string& text);
  static Result<Compiled> compile(const link::HostPolicy& policy);
  static bool is_in(const std::vector<Network>& networks, const std::string& address);
  static bool matches(const Compiled& compiled, const v1::Event& event);
  void use(Compiled compiled, uint64_t version);

  const std::string path_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Compiled> compiled_;  // null: nothing is excluded
  std::atomic<uint64_t> version_{0};
  mutable std::atomic<uint64_t> excluded_{0};
};

}  // namespace redoubt::agent
