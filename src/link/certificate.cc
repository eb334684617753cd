#include "link/certificate.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <ctime>
#include <limits>
#include <memory>

#include "base/file.h"
#include "base/hash.h"

namespace redoubt::link {

namespace {

template <auto close>
struct Closer {
  template <class T>
  void operator()(T* object) const {
    close(object);
  }
};
template <class T, auto close>
using Handle = std::unique_ptr<T, Closer<close>>;

using Key = Handle<EVP_PKEY, EVP_PKEY_free>;
using KeyContext = Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using Certificate = Handle<X509, X509_free>;
using Request = Handle<X509_REQ, X509_REQ_free>;
using Bio = Handle<BIO, BIO_free_all>;
using Extension = Handle<X509_EXTENSION, X509_EXTENSION_free>;
using AltNames = Handle<GENERAL_NAMES, GENERAL_NAMES_free>;

constexpr int64_t kDaySeconds = 86'400;
constexpr int64_t kYearSeconds = 365 * kDaySeconds;
constexpr int64_t kCaYears = 10;
constexpr int64_t kServerYears = 5;
constexpr int64_t kClockSkewSeconds = 3600;  // hosts whose clock runs behind accept a fresh certificate
constexpr size_t kSerialBytes = 16;
constexpr size_t kPemBytesMax = size_t{64} << 10;
constexpr size_t kCommonNameMax = 64;  // ub-common-name of RFC 5280
constexpr int kP256Bits = 256;

tl::unexpected<Error> fail_tls(Errc code, const std::string& what) {
  const unsigned long number = ERR_get_error();
  ERR_clear_error();
  if (number == 0) return fail(code, what);
  const char* reason = ERR_reason_error_string(number);
  return fail(code, what + ": " + (reason != nullptr ? reason : "unknown error"));
}

Bio reading(std::string_view pem) { return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))); }

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string(data, static_cast<size_t>(size)) : std::string();
}

// A PEM passphrase prompt on the terminal would block; an encrypted key is simply refused.
int no_passphrase(char*, int, int, void*) { return -1; }

Result<Key> make_key() {
  Key key(EVP_EC_gen("P-256"));
  if (!key) return fail_tls(Errc::internal, "make key");
  return key;
}

Result<std::string> key_text(EVP_PKEY* key) {
  const Bio bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return fail_tls(Errc::internal, "write key");
  }
  return text_of(bio.get());
}

Result<std::string> certificate_text(X509* certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_X509(bio.get(), certificate) != 1) return fail_tls(Errc::internal, "write certificate");
  return text_of(bio.get());
}

Result<Key> read_key(std::string_view pem) {
  if (pem.size() > kPemBytesMax) return fail(Errc::too_large, "key is too large");
  Key key(PEM_read_bio_PrivateKey(reading(pem).get(), nullptr, no_passphrase, nullptr));
  if (!key) return fail_tls(Errc::invalid_argument, "key is not PEM");
  return key;
}

Result<Certificate> parse_certificate(std::string_view pem) {
  if (pem.size() > kPemBytesMax) return fail(Errc::too_large, "certificate is too large");
  Certificate certificate(PEM_read_bio_X509(reading(pem).get(), nullptr, no_passphrase, nullptr));
  if (!certificate) return fail_tls(Errc::invalid_argument, "certificate is not PEM");
  return certificate;
}

bool set_common_name(X509_NAME* name, const std::string& text) {
  return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(text.data()),
                                    static_cast<int>(text.size()), -1, 0) == 1;
}

bool set_random_serial(X509* certificate) {
  std::string bytes = base::random_bytes(kSerialBytes);
  bytes[0] = static_cast<char>(static_cast<unsigned char>(bytes[0]) & 0x7fU);  // positive
  BIGNUM* number =
      BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()), nullptr);
  const bool set = number != nullptr && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nullptr;
  BN_free(number);
  return set;
}

bool add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

struct ExtensionText {
  int nid;
  std::string value;
};

struct Issue {
  std::string common_name;
  int64_t seconds = 0;
  std::vector<ExtensionText> extensions;
};

// `issuer` null: self-signed.
Result<Certificate> issue(const Issue& what, EVP_PKEY* subject_key, X509* issuer, EVP_PKEY* issuer_key) {
  if (what.common_name.empty() || what.common_name.size() > kCommonNameMax) {
    return fail(Errc::invalid_argument, "certificate name must have 1 to 64 bytes");
  }
  Certificate made(X509_new());
  X509* const certificate = made.get();
  X509* const signer = issuer != nullptr ? issuer : certificate;
  if (!made || X509_set_version(certificate, X509_VERSION_3) != 1 || !set_random_serial(certificate) ||
      X509_gmtime_adj(X509_getm_notBefore(certificate), -kClockSkewSeconds) == nullptr ||
      X509_time_adj_ex(X509_getm_notAfter(certificate), static_cast<int>(what.seconds / kDaySeconds),
                       static_cast<long>(what.seconds % kDaySeconds), nullptr) == nullptr ||
      X509_set_pubkey(certificate, subject_key) != 1 ||
      !set_common_name(X509_get_subject_name(certificate), what.common_name) ||
      X509_set_issuer_name(certificate, X509_get_subject_name(signer)) != 1) {
    return fail_tls(Errc::internal, "make certificate");
  }
  for (const auto& [nid, value] : what.extensions) {
    if (!add_extension(certificate, signer, nid, value)) return fail_tls(Errc::invalid_argument, "extension " + value);
  }
  if (X509_sign(certificate, issuer_key, EVP_sha256()) == 0) return fail_tls(Errc::internal, "sign certificate");
  return made;
}

bool is_address(const std::string& name) {
  unsigned char binary[sizeof(in6_addr)];
  return inet_pton(AF_INET, name.c_str(), binary) == 1 || inet_pton(AF_INET6, name.c_str(), binary) == 1;
}

// The extension syntax separates by comma and names types by colon: anything outside a host name's alphabet is refused.
Result<std::string> alt_names_text(std::span<const std::string> names) {
  std::string text;
  for (const std::string& name : names) {
    const bool address = is_address(name);
    const bool plain = name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_*") ==
                       std::string::npos;
    if (name.empty() || (!address && !plain)) return fail(Errc::invalid_argument, "'" + name + "' is no host name");
    text += (text.empty() ? "" : ",") + std::string(address ? "IP:" : "DNS:") + name;
  }
  return text;
}

std::string common_name_of(X509* certificate) {
  X509_NAME* const subject = X509_get_subject_name(certificate);
  const int position = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (position < 0) return {};
  unsigned char* text = nullptr;
  const int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, position)));
  if (size < 0) return {};
  std::string name(reinterpret_cast<const char*>(text), static_cast<size_t>(size));
  OPENSSL_free(text);
  return name;
}

std::string string_of(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)), static_cast<size_t>(ASN1_STRING_length(text))};
}

std::string address_text(const ASN1_OCTET_STRING* address) {
  char text[INET6_ADDRSTRLEN] = "";
  const int size = ASN1_STRING_length(address);
  if (size == sizeof(in_addr)) inet_ntop(AF_INET, ASN1_STRING_get0_data(address), text, sizeof text);
  if (size == sizeof(in6_addr)) inet_ntop(AF_INET6, ASN1_STRING_get0_data(address), text, sizeof text);
  return text;
}

std::vector<std::string> alt_names_of(X509* certificate) {
  std::vector<std::string> names;
  const AltNames list(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  if (!list) return names;
  for (int i = 0; i < sk_GENERAL_NAME_num(list.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(list.get(), i);
    if (name->type == GEN_DNS) names.push_back(string_of(name->d.dNSName));
    if (name->type == GEN_IPADD) names.push_back(address_text(name->d.iPAddress));
  }
  return names;
}

Result<std::string> fingerprint_of(X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate, &der);
  if (size < 0) return fail_tls(Errc::invalid_argument, "encode certificate");
  std::string fingerprint = base::sha256_hex({reinterpret_cast<const char*>(der), static_cast<size_t>(size)});
  OPENSSL_free(der);
  return fingerprint;
}

// The public key of a request whose self-signature holds; EC P-256 only, so that a request cannot choose how costly
// every later handshake is.
Result<Key> key_of_request(std::string_view request_pem) {
  if (request_pem.size() > kRequestBytesMax) return fail(Errc::too_large, "certificate request is too large");
  const Request request(PEM_read_bio_X509_REQ(reading(request_pem).get(), nullptr, no_passphrase, nullptr));
  if (!request) return fail_tls(Errc::invalid_argument, "certificate request is not PEM");
  Key key(X509_REQ_get_pubkey(request.get()));
  if (!key) return fail_tls(Errc::invalid_argument, "certificate request has no usable key");
  char group[32] = "";
  const bool named = EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_EC &&
                     EVP_PKEY_get_group_name(key.get(), group, sizeof group, nullptr) == 1;
  if (!named || EVP_PKEY_get_bits(key.get()) != kP256Bits || std::string_view(group) != "prime256v1") {
    ERR_clear_error();
    return fail(Errc::invalid_argument, "certificate request's key is not EC P-256");
  }
  if (X509_REQ_verify(request.get(), key.get()) != 1) {
    return fail_tls(Errc::invalid_argument, "certificate request's signature does not hold");
  }
  return key;
}

}  // namespace

Result<KeyAndCertificate> make_ca(const std::string& name) {
  TRY(const Key key, make_key());
  const Issue what{.common_name = name,
                   .seconds = kCaYears * kYearSeconds,
                   .extensions = {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                                  {NID_key_usage, "critical,keyCertSign,cRLSign"},
                                  {NID_subject_key_identifier, "hash"}}};
  TRY(const Certificate certificate, issue(what, key.get(), nullptr, key.get()));
  KeyAndCertificate made;
  TRY(made.key_pem, key_text(key.get()));
  TRY(made.certificate_pem, certificate_text(certificate.get()));
  return made;
}

Result<KeyAndCertificate> make_server_certificate(const KeyAndCertificate& ca, std::span<const std::string> names) {
  if (names.empty()) return fail(Errc::invalid_argument, "a server certificate needs a name");
  TRY(const std::string alt_names, alt_names_text(names));
  TRY(const Certificate issuer, parse_certificate(ca.certificate_pem));
  TRY(const Key issuer_key, read_key(ca.key_pem));
  TRY(const Key key, make_key());
  const Issue what{.common_name = names.front().substr(0, kCommonNameMax),
                   .seconds = kServerYears * kYearSeconds,
                   .extensions = {{NID_basic_constraints, "critical,CA:FALSE"},
                                  {NID_key_usage, "critical,digitalSignature"},
                                  {NID_ext_key_usage, "serverAuth"},
                                  {NID_subject_alt_name, alt_names},
                                  {NID_subject_key_identifier, "hash"},
                                  {NID_authority_key_identifier, "keyid"}}};
  TRY(const Certificate certificate, issue(what, key.get(), issuer.get(), issuer_key.get()));
  KeyAndCertificate made;
  TRY(made.key_pem, key_text(key.get()));
  TRY(made.certificate_pem, certificate_text(certificate.get()));
  return made;
}

Result<KeyAndRequest> make_request(const std::string& name) {
  TRY(const Key key, make_key());
  const Request request(X509_REQ_new());
  if (!request || X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) != 1 ||
      !set_common_name(X509_REQ_get_subject_name(request.get()), name.substr(0, kCommonNameMax)) ||
      X509_REQ_set_pubkey(request.get(), key.get()) != 1 ||
      X509_REQ_sign(request.get(), key.get(), EVP_sha256()) == 0) {
    return fail_tls(Errc::internal, "make certificate request");
  }
  const Bio bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_X509_REQ(bio.get(), request.get()) != 1) {
    return fail_tls(Errc::internal, "write certificate request");
  }
  KeyAndRequest made;
  TRY(made.key_pem, key_text(key.get()));
  made.request_pem = text_of(bio.get());
  return made;
}

Result<std::string> sign_request(const KeyAndCertificate& ca, std::string_view request_pem, const std::string& host_id,
                                 int64_t life_us) {
  TRY(const Key key, key_of_request(request_pem));
  TRY(const Certificate issuer, parse_certificate(ca.certificate_pem));
  TRY(const Key issuer_key, read_key(ca.key_pem));
  const Issue what{.common_name = host_id,
                   .seconds = life_us / base::kSecondUs,
                   .extensions = {{NID_basic_constraints, "critical,CA:FALSE"},
                                  {NID_key_usage, "critical,digitalSignature"},
                                  {NID_ext_key_usage, "clientAuth"},
                                  {NID_subject_key_identifier, "hash"},
                                  {NID_authority_key_identifier, "keyid"}}};
  TRY(const Certificate certificate, issue(what, key.get(), issuer.get(), issuer_key.get()));
  return certificate_text(certificate.get());
}

Result<CertificateInfo> read_certificate(std::string_view certificate_pem) {
  TRY(const Certificate certificate, parse_certificate(certificate_pem));
  CertificateInfo info;
  TRY(info.fingerprint, fingerprint_of(certificate.get()));
  info.common_name = common_name_of(certificate.get());
  tm begins{}, expires{};
  if (ASN1_TIME_to_tm(X509_get0_notBefore(certificate.get()), &begins) != 1 ||
      ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &expires) != 1) {
    return fail_tls(Errc::invalid_argument, "certificate has no valid dates");
  }
  info.made.us = (static_cast<int64_t>(timegm(&begins)) + kClockSkewSeconds) * base::kSecondUs;
  info.expires.us = static_cast<int64_t>(timegm(&expires)) * base::kSecondUs;
  info.names = alt_names_of(certificate.get());
  return info;
}

Status check_key_and_certificate(const KeyAndCertificate& pair, std::string_view ca_pem) {
  TRY(const Key key, read_key(pair.key_pem));
  TRY(const Certificate certificate, parse_certificate(pair.certificate_pem));
  TRY(const Certificate ca, parse_certificate(ca_pem));
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    return fail_tls(Errc::invalid_argument, "certificate does not belong to the key");
  }
  if (X509_verify(certificate.get(), X509_get0_pubkey(ca.get())) != 1) {
    return fail_tls(Errc::invalid_argument, "certificate is not signed by the given CA");
  }
  return {};
}

Status write_key_and_certificate(const KeyAndCertificate& pair, const std::string& key_path,
                                 const std::string& certificate_path) {
  TRY_STATUS(base::write_file_atomic(key_path, pair.key_pem, base::kPrivateFile));
  return base::write_file_atomic(certificate_path, pair.certificate_pem, base::kPublicFile);
}

Result<KeyAndCertificate> load_key_and_certificate(const std::string& key_path, const std::string& certificate_path) {
  KeyAndCertificate pair;
  TRY(pair.key_pem, base::read_file(key_path, kPemBytesMax));
  TRY(pair.certificate_pem, base::read_file(certificate_path, kPemBytesMax));
  TRY_STATUS(base::within(key_path, read_key(pair.key_pem)));
  TRY_STATUS(base::within(certificate_path, parse_certificate(pair.certificate_pem)));
  return pair;
}

}  // namespace redoubt::link
