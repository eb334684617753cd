// A c-icap of the bench's own (Debian's packages c-icap and libc-icap-mod-virus-scan) on a loopback port, with
// virus_scan over a clamd that is there already, and the client that sends it objects. One thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace redoubt::bench {

class IcapServer {
 public:
  virtual ~IcapServer() = default;  // ends it
  // One RESPMOD with all of the content, over a connection that is kept. Whether it was blocked.
  virtual bool blocks(std::string_view content) = 0;
  // User and system time of the server and its children so far, seconds.
  virtual double cpu_seconds() const = 0;
};

bool has_icap_server();
// Gives the bench up where it does not answer within ten seconds.
std::unique_ptr<IcapServer> start_icap_server(const std::string& clamd_socket);

// User and system time of a process so far, without its children, seconds; 0 where there is none.
double cpu_of_process(const std::string& pid);

}  // namespace redoubt::bench
