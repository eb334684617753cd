// Hostile texts of mails, names of files: the passwords that they seem to tell.
#include <cstdint>
#include <string_view>

#include "scan/wire.h"
#include "scan/worker/passwords.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kCountMax = 100;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto words = redoubt::scan::find_passwords(text, kCountMax);
  if (words.size() > kCountMax) __builtin_trap();
  for (const auto& word : words) {
    if (word.empty() || word.size() > redoubt::scan::wire::kPasswordBytesMax) __builtin_trap();
  }
  return 0;
}
