// Slows down guessing: so many failures a minute for one account from one address, and so many from one address
// whatever the account, then no more tries. An IPv6 address stands for its /64, which is what one sender has. No limit
// for an account from everywhere: it would let strangers lock people out. In memory, bounded. Any thread.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <mutex>
#include <string>

#include "base/time.h"

namespace redoubt::central {

constexpr size_t kLoginFailuresMax = 5;
constexpr size_t kAddressFailuresMax = 30;
constexpr int64_t kLoginWindowUs = base::kMinuteUs;

// What one sender has: the address, or the first four groups of an IPv6 address.
std::string sender_of(const std::string& address);

class LoginThrottle {
 public:
  // Whether another try may be made now. It counts as a failure until succeeded() is called, so that tries made at the
  // same time do not slip past the limit.
  bool try_login(const std::string& account, const std::string& address, base::Time now);
  void succeeded(const std::string& account, const std::string& address);

 private:
  using Who = std::pair<std::string, std::string>;  // account and sender; no account: the sender's tries for any
  // The failures of the last window; nullptr: no room to remember another.
  std::deque<base::Time>* failures_of(const Who& who, base::Time now);
  void forget_old(base::Time now);

  std::mutex mutex_;
  std::map<Who, std::deque<base::Time>> failures_;
};

}  // namespace redoubt::central
