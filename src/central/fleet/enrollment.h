// How a host joins: an administrator makes a token that works so often and so long, the agent trades it and a
// certificate request for its identity. Tokens are kept as hashes. Any thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "central/fleet/fleet.h"
#include "link/certificate.h"
#include "store/state/state_db.h"

namespace redoubt::central {

constexpr int64_t kTokenValidSMin = 60;
constexpr int64_t kTokenValidSMax = 30 * 24 * 3600;
constexpr int64_t kTokenUsesMax = 10'000;

struct EnrollmentToken {
  std::string token;  // shown once
  base::Time expires;
};

struct EnrollmentRequest {
  std::string token;
  std::string csr;  // PEM, hostile
  std::string host_name;
};

struct Enrolled {
  std::string host_id;
  std::string certificate;  // PEM
};

class Enrollment {
 public:
  // `life_us`: of the certificates of agents.
  Enrollment(store::StateDb& state, link::KeyAndCertificate ca, int64_t life_us = link::kClientLifeUs)
      : state_(state), ca_(std::move(ca)), life_us_(life_us) {}

  struct TokenOptions {
    int64_t valid_s = 3600;
    int64_t uses = 1;
  };
  Result<EnrollmentToken> create_token(const TokenOptions& options, const std::string& created_by);
  // unauthenticated for a token that is unknown, used up or expired; a request that cannot be signed costs no use.
  Result<Enrolled> enroll(const EnrollmentRequest& request);

  // A new certificate for a host that is connected by its present one, which holds until the host comes with the new.
  Result<std::string> renew(const std::string& host_id, const std::string& csr);

  const std::string& ca_certificate() const { return ca_.certificate_pem; }

 private:
  store::StateDb& state_;
  link::KeyAndCertificate ca_;
  int64_t life_us_;
};

}  // namespace redoubt::central
