// Digests, random bytes and their hexadecimal text. Thin over OpenSSL; any thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace redoubt::base {

// SHA-256 of a stream of bytes.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void update(std::string_view bytes);
  // 64 lower-case hexadecimal digits. Once.
  std::string finish_hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256_hex(std::string_view bytes);
// Hash of a file's whole content; reads at most size_max bytes, else too_large.
Result<std::string> sha256_file_hex(const std::string& path, size_t size_max);

std::string to_hex(std::string_view bytes);
Result<std::string> from_hex(std::string_view hex);
// Cryptographically strong random bytes.
std::string random_bytes(size_t count);
// Equality in time that depends on the length alone; for secrets.
bool equal_secret(std::string_view a, std::string_view b);

}  // namespace redoubt::base
