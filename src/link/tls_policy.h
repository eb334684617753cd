// What TLS the agent link speaks. gRPC lets nobody choose a lowest version, so it is set where OpenSSL itself reads its
// defaults: for every connection that the process opens or takes from then on. Any thread.
#pragma once

namespace redoubt::link {

// TLS 1.3 and nothing older. Once a process, before its first link; further calls do nothing.
void require_tls_1_3();

}  // namespace redoubt::link
