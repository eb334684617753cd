// Hostile RAR archives: whether their files are encrypted.
#include <cstdint>
#include <string_view>

#include "scan/worker/unpack/rar_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  (void)redoubt::scan::has_encrypted_rar_files({reinterpret_cast<const char*>(data), size});
  return 0;
}
