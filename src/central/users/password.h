// Passwords at rest: Argon2id in its encoded text form. Costs some 20 MB and tens of milliseconds a call on purpose;
// call from threads that may block.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace redoubt::central {

constexpr size_t kPasswordBytesMin = 10;
constexpr size_t kPasswordBytesMax = 1024;

// invalid_argument for one that is too short or too long.
Result<std::string> hash_password(std::string_view password);
bool password_matches(const std::string& hash, std::string_view password);
// 24 characters that are easy to read aloud, 120 bits.
std::string random_password();

}  // namespace redoubt::central
