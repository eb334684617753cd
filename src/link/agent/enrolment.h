// Enrolment: one HTTPS request that turns a one-time token into this agent's identity. The node is known by the
// fingerprint of its certificate and by nothing else; neither the system's trust store nor any name counts. One thread.
#pragma once

#include <chrono>
#include <string>

#include "base/result.h"
#include "link/agent/identity.h"

namespace redoubt::link {

struct EnrolmentRequest {
  std::string server;       // "host:port" of the node's HTTPS port
  std::string fingerprint;  // SHA-256 hex of its certificate; colons and capitals are fine
  std::string token;        // secret
  std::string host_name;
  std::string proxy;  // "http://[user:password@]host:port" of an HTTP proxy that is asked to CONNECT; empty: none
  std::chrono::milliseconds timeout{30'000};  // for each step: connect, handshake, request, answer
};

// permission_denied: the certificate is not the expected one (nothing was sent), or the node refuses the token.
Result<Identity> enrol(const EnrolmentRequest& request);

}  // namespace redoubt::link
