#include "host_facts.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <climits>
#include <cstdlib>

#include "base/file.h"
#include "base/text.h"

namespace redoubt::agent {

namespace {

constexpr size_t kSmallFileMax = size_t{64} << 10;
constexpr int64_t kNanosecondsAMicrosecond = 1000;

std::string first_address(int family) {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return {};
  char text[INET6_ADDRSTRLEN] = "";
  for (const ifaddrs* one = list; one != nullptr && text[0] == '\0'; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != family) continue;
    if ((one->ifa_flags & IFF_LOOPBACK) != 0 || (one->ifa_flags & IFF_UP) == 0) continue;
    const void* const address = family == AF_INET
                                    ? static_cast<const void*>(&reinterpret_cast<sockaddr_in*>(one->ifa_addr)->sin_addr)
                                    : &reinterpret_cast<sockaddr_in6*>(one->ifa_addr)->sin6_addr;
    inet_ntop(family, address, text, sizeof text);
  }
  freeifaddrs(list);
  return text;
}

std::string distribution() {
  for (const char* const path : {"/etc/os-release", "/usr/lib/os-release"}) {
    const auto content = base::read_file(path, kSmallFileMax);
    if (!content) continue;
    constexpr std::string_view kName = "PRETTY_NAME=";
    size_t at = content->starts_with(kName) ? 0 : content->find("\n" + std::string(kName));
    if (at == std::string::npos) continue;
    at = content->find('=', at) + 1;
    std::string name = content->substr(at, content->find('\n', at) - at);
    if (name.size() >= 2 && (name.front() == '"' || name.front() == '\'')) name = name.substr(1, name.size() - 2);
    return name;
  }
  return "Linux";
}

}  // namespace

Result<HostFacts> read_host_facts() {
  HostFacts facts;
  TRY(facts.boot_id, base::read_file("/proc/sys/kernel/random/boot_id", kSmallFileMax));
  while (!facts.boot_id.empty() && facts.boot_id.back() == '\n') facts.boot_id.pop_back();
  char name[HOST_NAME_MAX + 1] = "";
  if (gethostname(name, sizeof name - 1) != 0) return base::fail_errno("read host name");
  facts.name = base::escape_invalid_utf8(name);
  facts.ip = first_address(AF_INET);
  if (facts.ip.empty()) facts.ip = first_address(AF_INET6);
  utsname kernel{};
  if (uname(&kernel) != 0) return base::fail_errno("read kernel release");
  facts.os_version = base::escape_invalid_utf8(distribution() + ", Linux " + kernel.release);
  facts.booted = {base::Time::now().us - base::boottime_ns() / kNanosecondsAMicrosecond};
  return facts;
}

int64_t resident_bytes() {
  const auto statm = base::read_file("/proc/self/statm", kSmallFileMax);
  if (!statm) return 0;
  const size_t blank = statm->find(' ');
  if (blank == std::string::npos) return 0;
  return std::strtoll(statm->c_str() + blank, nullptr, 10) * sysconf(_SC_PAGESIZE);
}

}  // namespace redoubt::agent
