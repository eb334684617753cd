#include "link/certificate.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/hash.h"

namespace redoubt::link {
namespace {

const std::string kHost = "0b7c1a52-9c3f-4f0e-8d7a-2f6d1f0f6a11";

KeyAndCertificate test_ca() { return make_ca("Redoubt test").value(); }

std::string der_of(const std::string& pem) {
  BIO* const bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  X509* const certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate, &der);
  std::string bytes(reinterpret_cast<char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  X509_free(certificate);
  BIO_free(bio);
  return bytes;
}

// A request with any key, for what an honest agent would not send.
std::string request_with(EVP_PKEY* key, EVP_PKEY* signed_with) {
  X509_REQ* const request = X509_REQ_new();
  X509_REQ_set_pubkey(request, key);
  X509_REQ_sign(request, signed_with, EVP_sha256());
  BIO* const bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509_REQ(bio, request);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string pem(data, static_cast<size_t>(size));
  BIO_free(bio);
  X509_REQ_free(request);
  return pem;
}

TEST(Certificate, server_certificate_names_its_hosts_and_belongs_to_the_ca) {
  const auto ca = test_ca();
  const std::vector<std::string> names = {"node.example", "127.0.0.1", "::1", "localhost"};
  const auto server = make_server_certificate(ca, names);
  ASSERT_TRUE(server) << server.error().message;
  const auto info = read_certificate(server->certificate_pem).value();
  EXPECT_EQ(info.names, names);
  EXPECT_EQ(info.common_name, "node.example");
  EXPECT_TRUE(check_key_and_certificate(*server, ca.certificate_pem));
  EXPECT_FALSE(check_key_and_certificate(*server, test_ca().certificate_pem));
}

TEST(Certificate, fingerprint_is_sha256_of_the_der) {
  const auto ca = test_ca();
  EXPECT_EQ(read_certificate(ca.certificate_pem)->fingerprint, base::sha256_hex(der_of(ca.certificate_pem)));
}

TEST(Certificate, signed_request_carries_the_host_id_for_one_year) {
  const auto ca = test_ca();
  const auto own = make_request("whatever the host calls itself").value();
  const auto certificate = sign_request(ca, own.request_pem, kHost);
  ASSERT_TRUE(certificate) << certificate.error().message;
  const auto info = read_certificate(*certificate).value();
  EXPECT_EQ(info.common_name, kHost);
  const int64_t left_us = info.expires.us - base::Time::now().us;
  EXPECT_GT(left_us, 364 * base::kDayUs);
  EXPECT_LE(left_us, 365 * base::kDayUs + base::kMinuteUs);
  EXPECT_TRUE(check_key_and_certificate({.key_pem = own.key_pem, .certificate_pem = *certificate}, ca.certificate_pem));
}

TEST(Certificate, refuses_what_is_no_request) {
  const auto ca = test_ca();
  const auto own = make_request("host").value();
  for (const std::string& bad : {std::string(), std::string("hello"), ca.certificate_pem, own.key_pem,
                                 own.request_pem.substr(0, own.request_pem.size() / 2), std::string("\0\0\0", 3)}) {
    const auto refused = sign_request(ca, bad, kHost);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::invalid_argument) << refused.error().message;
  }
  EXPECT_EQ(sign_request(ca, std::string(kRequestBytesMax + 1, 'x'), kHost).error().code, Errc::too_large);
  EXPECT_FALSE(sign_request(ca, own.request_pem, ""));
  EXPECT_FALSE(sign_request(ca, own.request_pem, std::string(65, 'h')));
}

TEST(Certificate, refuses_a_request_that_is_not_signed_with_its_key) {
  EVP_PKEY* const key = EVP_EC_gen("P-256");
  EVP_PKEY* const other = EVP_EC_gen("P-256");
  const auto refused = sign_request(test_ca(), request_with(key, other), kHost);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("signature"), std::string::npos) << refused.error().message;
  EVP_PKEY_free(key);
  EVP_PKEY_free(other);
}

TEST(Certificate, refuses_other_kinds_of_keys) {
  for (EVP_PKEY* const key : {EVP_EC_gen("P-384"), EVP_RSA_gen(2048)}) {
    const auto refused = sign_request(test_ca(), request_with(key, key), kHost);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("P-256"), std::string::npos) << refused.error().message;
    EVP_PKEY_free(key);
  }
}

TEST(Certificate, refuses_names_that_are_no_host_names) {
  const auto ca = test_ca();
  for (const char* const bad : {"", "a,DNS:b", "host name", "x:y", "email:a@b"}) {
    const std::vector<std::string> names = {"localhost", bad};
    EXPECT_FALSE(make_server_certificate(ca, names)) << bad;
  }
}

TEST(Certificate, writes_keys_for_the_owner_alone) {
  const base::TempDir dir;
  const auto ca = test_ca();
  ASSERT_TRUE(write_key_and_certificate(ca, dir / "ca.key", dir / "ca.pem"));
  struct stat status{};
  ASSERT_EQ(stat((dir / "ca.key").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  const auto loaded = load_key_and_certificate(dir / "ca.key", dir / "ca.pem").value();
  EXPECT_EQ(loaded.key_pem, ca.key_pem);
  EXPECT_EQ(loaded.certificate_pem, ca.certificate_pem);
  EXPECT_FALSE(load_key_and_certificate(dir / "ca.pem", dir / "ca.pem"));
}

}  // namespace
}  // namespace redoubt::link
