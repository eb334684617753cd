// Under which name an address was looked up on this host, so that a connection to it says the name. Bounded: the
// longest unused is forgotten first. Ring thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

namespace redoubt::sensor {

class AddressNames {
 public:
  explicit AddressNames(size_t addresses_max = kAddressesMax) : addresses_max_(addresses_max) {}

  // The latest name of an address counts. Programs keep what they looked up longer than the answer allows, so a name
  // holds kLeastNs at least, and kMostNs at most.
  void learn(const std::string& address, const std::string& name, uint32_t ttl_s, int64_t now_ns);
  // Empty if there is none.
  std::string_view find(const std::string& address, int64_t now_ns);

  size_t size() const { return by_address_.size(); }

  static constexpr size_t kAddressesMax = 8192;
  static constexpr int64_t kLeastNs = 600'000'000'000;
  static constexpr int64_t kMostNs = 86'400'000'000'000;

 private:
  struct Entry {
    std::string address;
    std::string name;
    int64_t until_ns;
  };
  size_t addresses_max_;
  std::list<Entry> entries_;  // the latest used first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_address_;
};

}  // namespace redoubt::sensor
