// Applies the node's policy: which file and network events of this host are not told. The latest policy is kept in the
// data directory and holds from the next start on, node or no node. apply() and the figures: any thread; excludes() is
// for the sensor's ring thread, and waits for a short lock at most.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "link/host_policy.h"
#include "sensor/policy.h"

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

  // The same for the kernel's side, as far as it can be said there; excludes() says the rest.
  sensor::SensorPolicy for_kernel() const;

  uint64_t version() const { return version_; }
  uint64_t excluded() const { return excluded_; }

 private:
  struct Compiled {
    std::unordered_set<std::string> programs;
    std::vector<std::string> paths;
    std::vector<base::Prefix> networks;
    link::HostPolicy policy;
  };
  static Result<Compiled> compile(const link::HostPolicy& policy);
  static bool is_in(const std::vector<base::Prefix>& networks, const std::string& address);
  static bool matches(const Compiled& compiled, const v1::Event& event);
  std::shared_ptr<const Compiled> current() const;
  void use(Compiled compiled);

  const std::string path_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Compiled> compiled_ = std::make_shared<const Compiled>();
  std::atomic<uint64_t> version_{0};
  mutable std::atomic<uint64_t> excluded_{0};
};

}  // namespace redoubt::agent
