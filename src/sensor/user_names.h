// User names by number, remembered for a while. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

namespace redoubt::sensor {

class UserNames {
 public:
  // Empty if the user has no name on this host.
  const std::string& find(uint32_t uid, int64_t now_ns);

 private:
  struct Entry {
    std::string name;
    int64_t until_ns = 0;
  };
  std::unordered_map<uint32_t, Entry> entries_;
};

}  // namespace redoubt::sensor
