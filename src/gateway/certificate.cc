#include "gateway/certificate.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <unistd.h>
#include <array>
#include <memory>

#include "base/file.h"
#include "base/hash.h"

namespace redoubt::gateway {

namespace {

template <auto close>
struct IdentityCloser {
  template <class T>
  void operator()(T* object) const {
    close(object);
  }
};
template <class T, auto close>
using IdentityHandle = std::unique_ptr<T, IdentityCloser<close>>;
using Key = IdentityHandle<EVP_PKEY, EVP_PKEY_free>;
using Certificate = IdentityHandle<X509, X509_free>;
using Bio = IdentityHandle<BIO, BIO_free_all>;

constexpr unsigned kRsaBits = 2048;
constexpr long kBeginsSeconds = -3600;  // for clocks that run behind
constexpr long kLifeSeconds = 10L * 365 * 86'400;
constexpr size_t kSerialBytes = 16;
constexpr size_t kUuidBytes = 16;
constexpr size_t kCommonNameMax = 64;  // ub-common-name of RFC 5280

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string(data, static_cast<size_t>(size)) : std::string();
}

std::string make_uuid() {
  std::string bytes = base::random_bytes(kUuidBytes);
  bytes[6] = static_cast<char>((static_cast<unsigned char>(bytes[6]) & 0x0fU) | 0x40U);  // version 4
  bytes[8] = static_cast<char>((static_cast<unsigned char>(bytes[8]) & 0x3fU) | 0x80U);  // variant of RFC 9562
  std::string text = base::to_hex(bytes);
  for (const size_t at : {8, 13, 18, 23}) text.insert(at, 1, '-');
  return text;
}

bool set_serial(X509* certificate) {
  std::string bytes = base::random_bytes(kSerialBytes);
  bytes[0] = static_cast<char>((static_cast<unsigned char>(bytes[0]) & 0x7fU) | 0x40U);
  const IdentityHandle<BIGNUM, BN_free> number(
      BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()), nullptr));
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

Result<std::string> fingerprint_of(X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate, &der);
  if (size <= 0) return fail(Errc::internal, "encode certificate");
  std::string fingerprint = base::sha256_hex({reinterpret_cast<const char*>(der), static_cast<size_t>(size)});
  OPENSSL_free(der);
  return fingerprint;
}

Result<Certificate> self_signed(EVP_PKEY* key, const std::string& common_name) {
  Certificate certificate(X509_new());
  const bool filled = certificate && X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
                      set_serial(certificate.get()) &&
                      X509_gmtime_adj(X509_getm_notBefore(certificate.get()), kBeginsSeconds) != nullptr &&
                      X509_gmtime_adj(X509_getm_notAfter(certificate.get()), kLifeSeconds) != nullptr &&
                      X509_set_pubkey(certificate.get(), key) == 1;
  if (!filled) return fail(Errc::internal, "make certificate");
  X509_NAME* const name = X509_get_subject_name(certificate.get());
  const std::string text = common_name.substr(0, kCommonNameMax);
  const bool signed_now =
      X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(text.data()),
                                 static_cast<int>(text.size()), -1, 0) == 1 &&
      X509_set_issuer_name(certificate.get(), name) == 1 && X509_sign(certificate.get(), key, EVP_sha256()) > 0;
  if (!signed_now) return fail(Errc::internal, "sign certificate for '" + text + "'");
  return certificate;
}

}  // namespace

Result<SystemIdentity> make_system_identity(const std::string& common_name) {
  const Key key(EVP_RSA_gen(kRsaBits));
  if (!key) return fail(Errc::internal, "make key");
  TRY(const Certificate certificate, self_signed(key.get(), common_name));
  const Bio key_text(BIO_new(BIO_s_mem()));
  const Bio certificate_text(BIO_new(BIO_s_mem()));
  const bool written =
      key_text && certificate_text &&
      PEM_write_bio_PKCS8PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1 &&
      PEM_write_bio_X509(certificate_text.get(), certificate.get()) == 1;
  if (!written) return fail(Errc::internal, "write key and certificate");
  SystemIdentity identity{
      .key_pem = text_of(key_text.get()), .certificate_pem = text_of(certificate_text.get()), .system_id = make_uuid()};
  TRY(identity.fingerprint, fingerprint_of(certificate.get()));
  return identity;
}

Result<SystemIdentity> write_system_identity(const std::string& directory, const std::string& common_name) {
  struct Part {
    std::string path;
    std::string SystemIdentity::* text;
    unsigned mode;
  };
  const auto parts =
      std::to_array<Part>({{directory + "/key.pem", &SystemIdentity::key_pem, base::kPrivateFile},
                           {directory + "/cert.pem", &SystemIdentity::certificate_pem, base::kPublicFile},
                           {directory + "/system_id", &SystemIdentity::system_id, base::kPublicFile}});
  TRY_STATUS(base::make_directories(directory));
  for (const Part& part : parts) {
    if (access(part.path.c_str(), F_OK) == 0) {
      return fail(Errc::already_exists, part.path + " exists: another certificate means another approval by the node");
    }
  }
  TRY(SystemIdentity identity, make_system_identity(common_name));
  for (const Part& part : parts) {
    const std::string text = identity.*part.text + (part.text == &SystemIdentity::system_id ? "\n" : "");
    TRY_STATUS(base::write_file_atomic(part.path, text, part.mode));
  }
  return identity;
}

Result<std::string> certificate_fingerprint(std::string_view certificate_pem) {
  const Bio bio(BIO_new_mem_buf(certificate_pem.data(), static_cast<int>(certificate_pem.size())));
  const Certificate certificate(bio ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr) : nullptr);
  if (!certificate) return fail(Errc::invalid_argument, "no PEM certificate");
  return fingerprint_of(certificate.get());
}

}  // namespace redoubt::gateway
