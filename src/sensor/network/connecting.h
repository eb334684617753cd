// Attempts to connect whose outcome stays open. The programs tell an attempt when it is known; one that waits for an
// answer longer than kPatienceNs is told as it stands (error.code EINPROGRESS), and not again. Ring thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace redoubt::sensor {

class Connecting {
 public:
  // `map` is that of the programs and stays theirs.
  explicit Connecting(int map) : map_(map) {}

  using Take = std::function<void(std::string_view record)>;
  // Hands over the rd_connection of each attempt that began before `before_ns`.
  void tell(int64_t before_ns, const Take& take) const;

  static constexpr int64_t kPatienceNs = 3'000'000'000;

 private:
  int map_;
};

}  // namespace redoubt::sensor
