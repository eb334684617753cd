// The identity of an external system, as the scanner API wants it: an RSA-2048 key, a self-signed certificate of it and
// a UUID. A node's administrator compares the fingerprint and approves. Any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace redoubt::gateway {

struct SystemIdentity {
  std::string key_pem;  // PKCS #8
  std::string certificate_pem;
  std::string system_id;    // UUID, version 4
  std::string fingerprint;  // SHA-256 of the certificate's DER, lower-case hexadecimal
};

Result<SystemIdentity> make_system_identity(const std::string& common_name);
// Makes one and writes key.pem (0600), cert.pem and system_id into the directory; already_exists if one of them is
// there.
Result<SystemIdentity> write_system_identity(const std::string& directory, const std::string& common_name);
// That of the first certificate of a PEM text.
Result<std::string> certificate_fingerprint(std::string_view certificate_pem);

}  // namespace redoubt::gateway
