#include "central/users/password.h"

#include <argon2.h>

#include "base/hash.h"

namespace redoubt::central {

namespace {

// The parameters that the OWASP password storage cheat sheet names for Argon2id with little memory.
constexpr uint32_t kPasses = 2;
constexpr uint32_t kMemoryKib = 19 * 1024;
constexpr uint32_t kLanes = 1;
constexpr size_t kSaltBytes = 16;
constexpr size_t kHashBytes = 32;
constexpr size_t kEncodedBytesMax = 256;

// Without characters that look alike: 32 of them, so that a byte maps evenly.
constexpr std::string_view kReadable = "abcdefghijkmnpqrstuvwxyz23456789";
static_assert(kReadable.size() == 32);
constexpr size_t kRandomPasswordLength = 24;

}  // namespace

Result<std::string> hash_password(std::string_view password) {
  if (password.size() < kPasswordBytesMin || password.size() > kPasswordBytesMax) {
    return fail(Errc::invalid_argument, "a password has " + std::to_string(kPasswordBytesMin) + " to " +
                                            std::to_string(kPasswordBytesMax) + " characters");
  }
  const std::string salt = base::random_bytes(kSaltBytes);
  std::string encoded(kEncodedBytesMax, '\0');
  const int outcome = argon2id_hash_encoded(kPasses, kMemoryKib, kLanes, password.data(), password.size(), salt.data(),
                                            salt.size(), kHashBytes, encoded.data(), encoded.size());
  if (outcome != ARGON2_OK) {
    return fail(Errc::internal, std::string("hash password: ") + argon2_error_message(outcome));
  }
  encoded.resize(encoded.find('\0'));
  return encoded;
}

bool password_matches(const std::string& hash, std::string_view password) {
  if (password.size() > kPasswordBytesMax) return false;
  return argon2id_verify(hash.c_str(), password.data(), password.size()) == ARGON2_OK;
}

std::string random_password() {
  std::string password;
  for (const char byte : base::random_bytes(kRandomPasswordLength)) {
    password += kReadable[static_cast<unsigned char>(byte) % kReadable.size()];
  }
  return password;
}

}  // namespace redoubt::central
