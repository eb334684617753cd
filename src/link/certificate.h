// The node's own certificate authority: EC P-256 keys, X.509 certificates, fingerprints. Central makes and signs, the
// agent makes its key and request. Everything in and out is PEM text; hostile requests and certificates are bounded and
// checked. Any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace redoubt::link {

struct KeyAndCertificate {
  std::string key_pem;  // PKCS #8; store it with base::kPrivateFile
  std::string certificate_pem;
};

// A self-signed CA, valid for ten years.
Result<KeyAndCertificate> make_ca(const std::string& name);
// A server certificate of that CA, valid for five years. `names`: DNS names and IP addresses, for subjectAltName; the
// first is the subject CN.
Result<KeyAndCertificate> make_server_certificate(const KeyAndCertificate& ca, std::span<const std::string> names);

struct KeyAndRequest {
  std::string key_pem;
  std::string request_pem;
};
// A fresh key and its certificate signing request; what the request says is only a hint to the reader of a capture.
Result<KeyAndRequest> make_request(const std::string& name);

constexpr size_t kRequestBytesMax = size_t{16} << 10;
// Signs a hostile request: checks its size and self-signature, takes nothing from it but the public key (EC P-256
// only). The certificate: CN = host_id, client authentication.
constexpr int64_t kClientLifeUs = 365 * base::kDayUs;
Result<std::string> sign_request(const KeyAndCertificate& ca, std::string_view request_pem, const std::string& host_id,
                                 int64_t life_us = kClientLifeUs);

struct CertificateInfo {
  std::string fingerprint;  // SHA-256 of the DER, lower-case hexadecimal
  std::string common_name;
  base::Time made;  // for a certificate of this CA; it holds from an hour before, for clocks that run behind
  base::Time expires;
  std::vector<std::string> names;  // subjectAltName: DNS names and IP addresses
};
Result<CertificateInfo> read_certificate(std::string_view certificate_pem);

// The certificate belongs to the key and is signed by that CA; the agent checks so what an enrolment answered.
Status check_key_and_certificate(const KeyAndCertificate& pair, std::string_view ca_pem);

// Writes key (0600) and certificate (0644) as two files, each atomically, key first.
Status write_key_and_certificate(const KeyAndCertificate& pair, const std::string& key_path,
                                 const std::string& certificate_path);
Result<KeyAndCertificate> load_key_and_certificate(const std::string& key_path, const std::string& certificate_path);

}  // namespace redoubt::link
