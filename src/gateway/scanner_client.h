// The scanner API of a central node over HTTPS with a client certificate. A connection serves one call at a time and is
// kept for the next; concurrent calls have connections of their own. Every operation has a deadline.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "gateway/scanner.h"

namespace redoubt::gateway {

struct ServerTrust {
  enum class By : uint8_t {
    fingerprint,  // exactly the certificate with this SHA-256
    ca,           // certificates for the host's name that this file vouches for
    nothing,      // as the original: whoever answers
  } by = By::fingerprint;
  std::string value;
};

struct ScannerClientOptions {
  std::string host;  // without brackets
  std::string port = "443";
  std::string system_id;  // the UUID under which the node knows this system
  std::string instance;   // sensorInstanceId, for several gateways with one system_id; empty: none
  std::string certificate_file;
  std::string key_file;
  ServerTrust trust;
};

// Reads certificate, key and CA; connects with the first call.
Result<std::unique_ptr<Scanner>> make_scanner_client(ScannerClientOptions options);

}  // namespace redoubt::gateway
