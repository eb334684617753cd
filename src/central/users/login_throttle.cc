#include "central/users/login_throttle.h"

#include <arpa/inet.h>
#include <algorithm>
#include <array>

namespace redoubt::central {

namespace {

// Pairs remembered at once; past it every new pair is refused until old ones have run out.
constexpr size_t kThrottledPairsMax = 10'000;

void drop_older(std::deque<base::Time>& failures, base::Time now) {
  while (!failures.empty() && failures.front().us <= now.us - kLoginWindowUs) failures.pop_front();
}

}  // namespace

std::string sender_of(const std::string& address) {
  in6_addr bytes{};
  const std::string plain = address.substr(0, address.find('%'));
  if (inet_pton(AF_INET6, plain.c_str(), &bytes) != 1 || IN6_IS_ADDR_V4MAPPED(&bytes)) return address;
  constexpr size_t kPrefixBytes = 8;
  std::fill(std::begin(bytes.s6_addr) + kPrefixBytes, std::end(bytes.s6_addr), uint8_t{0});
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(AF_INET6, &bytes, text.data(), text.size());
  return text.data();
}

std::deque<base::Time>* LoginThrottle::failures_of(const Who& who, base::Time now) {
  if (failures_.size() >= kThrottledPairsMax && !failures_.contains(who)) {
    forget_old(now);
    if (failures_.size() >= kThrottledPairsMax) return nullptr;
  }
  std::deque<base::Time>& failures = failures_[who];
  drop_older(failures, now);
  return &failures;
}

bool LoginThrottle::try_login(const std::string& account, const std::string& address, base::Time now) {
  const std::lock_guard lock(mutex_);
  const std::string sender = sender_of(address);
  auto* const of_sender = failures_of({"", sender}, now);
  if (of_sender == nullptr || of_sender->size() >= kAddressFailuresMax) return false;
  auto* const of_account = failures_of({account, sender}, now);
  if (of_account == nullptr || of_account->size() >= kLoginFailuresMax) return false;
  of_sender->push_back(now);
  of_account->push_back(now);
  return true;
}

void LoginThrottle::succeeded(const std::string& account, const std::string& address) {
  const std::lock_guard lock(mutex_);
  const std::string sender = sender_of(address);
  failures_.erase({account, sender});
  const auto of_sender = failures_.find({"", sender});
  if (of_sender != failures_.end() && !of_sender->second.empty()) of_sender->second.pop_back();
}

void LoginThrottle::forget_old(base::Time now) {
  std::erase_if(failures_, [now](const auto& entry) {
    return entry.second.empty() || entry.second.back().us <= now.us - kLoginWindowUs;
  });
}

}  // namespace redoubt::central
