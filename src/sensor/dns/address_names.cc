#include "sensor/dns/address_names.h"

#include <algorithm>

namespace redoubt::sensor {

namespace {

constexpr int64_t kSecondNs = 1'000'000'000;

}  // namespace

void AddressNames::learn(const std::string& address, const std::string& name, uint32_t ttl_s, int64_t now_ns) {
  const int64_t until_ns = now_ns + std::clamp(int64_t{ttl_s} * kSecondNs, kLeastNs, kMostNs);
  if (const auto known = by_address_.find(address); known != by_address_.end()) {
    known->second->name = name;
    known->second->until_ns = until_ns;
    entries_.splice(entries_.begin(), entries_, known->second);
    return;
  }
  if (by_address_.size() >= addresses_max_) {
    by_address_.erase(entries_.back().address);
    entries_.pop_back();
  }
  entries_.push_front({.address = address, .name = name, .until_ns = until_ns});
  by_address_.emplace(entries_.front().address, entries_.begin());
}

std::string_view AddressNames::find(const std::string& address, int64_t now_ns) {
  const auto known = by_address_.find(address);
  if (known == by_address_.end()) return {};
  if (known->second->until_ns < now_ns) {
    const auto entry = known->second;
    by_address_.erase(known);
    entries_.erase(entry);
    return {};
  }
  entries_.splice(entries_.begin(), entries_, known->second);
  return known->second->name;
}

}  // namespace redoubt::sensor
