#include "central/fleet/enrollment.h"

#include <soci/soci.h>

#include "base/hash.h"

namespace redoubt::central {

namespace {

constexpr size_t kEnrollmentSecretBytes = 24;
constexpr size_t kHostNameMax = 253;
constexpr size_t kUuidBytes = 16;

// A random UUID, version 4.
std::string make_uuid() {
  std::string bytes = base::random_bytes(kUuidBytes);
  bytes[6] = static_cast<char>((static_cast<unsigned char>(bytes[6]) & 0x0f) | 0x40);
  bytes[8] = static_cast<char>((static_cast<unsigned char>(bytes[8]) & 0x3f) | 0x80);
  const std::string hex = base::to_hex(bytes);
  return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" + hex.substr(16, 4) + "-" +
         hex.substr(20);
}

}  // namespace

Result<EnrollmentToken> Enrollment::create_token(const TokenOptions& options, const std::string& created_by) {
  if (options.valid_s < kTokenValidSMin || options.valid_s > kTokenValidSMax) {
    return fail(Errc::invalid_argument, "valid_s: from 60 to 2592000");
  }
  if (options.uses < 1 || options.uses > kTokenUsesMax) return fail(Errc::invalid_argument, "uses: from 1 to 10000");
  const std::string token = "rde_" + base::to_hex(base::random_bytes(kEnrollmentSecretBytes));
  const std::string hash = base::sha256_hex(token);
  const base::Time now = base::Time::now();
  const long long now_us = now.us, expires_us = now.us + options.valid_s * base::kSecondUs, uses = options.uses;
  TRY_STATUS(state_.write([&](soci::session& sql) -> Status {
    sql << "DELETE FROM enrollment_tokens WHERE expires_us <= :now", soci::use(now_us);
    sql << "INSERT INTO enrollment_tokens (token_hash, created_by, expires_us, uses_left)"
           " VALUES (:hash, :by, :expires, :uses)",
        soci::use(hash), soci::use(created_by), soci::use(expires_us), soci::use(uses);
    return {};
  }));
  return EnrollmentToken{.token = token, .expires = {expires_us}};
}

Result<Enrolled> Enrollment::enroll(const EnrollmentRequest& request) {
  if (request.host_name.empty() || request.host_name.size() > kHostNameMax) {
    return fail(Errc::invalid_argument, "host_name: 1 to 253 characters");
  }
  const std::string hash = base::sha256_hex(request.token);
  const base::Time now = base::Time::now();
  Enrolled enrolled{.host_id = make_uuid()};
  // The token is spent and the host is made in one transaction: both or neither.
  TRY_STATUS(state_.write([&](soci::session& sql) -> Status {
    const long long now_us = now.us;
    soci::statement spend = (sql.prepare << "UPDATE enrollment_tokens SET uses_left = uses_left - 1"
                                            " WHERE token_hash = :hash AND uses_left > 0 AND expires_us > :now",
                             soci::use(hash), soci::use(now_us));
    spend.execute(true);
    if (spend.get_affected_rows() == 0) {
      return fail(Errc::unauthenticated, "the enrolment token is unknown, used up or expired");
    }
    TRY(enrolled.certificate, link::sign_request(ca_, request.csr, enrolled.host_id, life_us_));
    TRY(const link::CertificateInfo certificate, link::read_certificate(enrolled.certificate));
    return Fleet::add(
        sql, {.id = enrolled.host_id, .name = request.host_name, .certificate_fingerprint = certificate.fingerprint});
  }));
  return enrolled;
}

Result<std::string> Enrollment::renew(const std::string& host_id, const std::string& csr) {
  TRY(std::string certificate, link::sign_request(ca_, csr, host_id, life_us_));
  TRY(const link::CertificateInfo info, link::read_certificate(certificate));
  TRY_STATUS(state_.write([&](soci::session& sql) -> Status {
    soci::statement statement = (sql.prepare << "UPDATE hosts SET next_certificate_fingerprint = :print"
                                                " WHERE id = :id AND revoked_us = 0",
                                 soci::use(info.fingerprint), soci::use(host_id));
    statement.execute(true);
    if (statement.get_affected_rows() == 0) return fail(Errc::permission_denied, "no such host, or it is revoked");
    return {};
  }));
  return certificate;
}

}  // namespace redoubt::central
