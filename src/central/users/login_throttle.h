// Slows down password guessing: so many failures a minute for one account and address, then no more tries. In memory,
// bounded. Any thread.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <mutex>
#include <string>

#include "base/time.h"

namespace redoubt::central {

constexpr size_t kLoginFailuresMax = 5;
constexpr int64_t kLoginWindowUs = base::kMinuteUs;

class LoginThrottle {
 public:
  // Whether another try may be made now. It counts as a failure until succeeded() is called, so that tries made at the
  // same time do not slip past the limit.
  bool try_login(const std::string& account, const std::string& address, base::Time now);
  void succeeded(const std::string& account, const std::string& address);

 private:
  void forget_old(base::Time now);

  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, std::deque<base::Time>> failures_;
};

}  // namespace redoubt::central
