// What gRPC, and what it stands on, leave nobody to choose link by link.
#pragma once

namespace redoubt::link {

// TLS 1.3 and nothing older: set where OpenSSL itself reads its defaults, for every connection that the process opens
// or takes from then on. And no search for deadlocks at each lock, which Debian's Abseil makes: a quarter of what a
// node of 15,000 hosts would spend. Once a process, before its first link; further calls do nothing. Any thread.
void set_up_grpc();

}  // namespace redoubt::link
