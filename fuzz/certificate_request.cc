// Hostile PEM: the request of a host that enrols, and the certificate of an agent that connects.
#include <cstdint>
#include <string_view>

#include "link/certificate.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace link = redoubt::link;
  static const link::KeyAndCertificate ca = link::make_ca("fuzz").value();
  const std::string_view pem(reinterpret_cast<const char*>(data), size);
  const auto signed_certificate = link::sign_request(ca, pem, "host-1");
  // Nothing of the request but its key is in what is signed.
  if (signed_certificate && link::read_certificate(*signed_certificate)->common_name != "host-1") __builtin_trap();
  (void)link::read_certificate(pem);
  return 0;
}
