// What the agent tells about its host with every event and in its hello.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/time.h"

namespace redoubt::agent {

struct HostFacts {
  std::string name;
  std::string ip;          // the first address that is not loopback, IPv4 before IPv6; may be empty
  std::string os_version;  // "Debian GNU/Linux 12 (bookworm), Linux 6.1.0-18-amd64"
  std::string boot_id;     // the kernel's
  base::Time booted;
};
Result<HostFacts> read_host_facts();

int64_t resident_bytes();

}  // namespace redoubt::agent
