// Records of other programs as events (event/dialect): any bytes.
#include <cstdint>
#include <string_view>

#include "event/dialect/dialect.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static redoubt::event::dialect::Reader reader({.product = "any"});
  redoubt::event::BatchBuilder batch;
  (void)reader.add({reinterpret_cast<const char*>(data), size}, batch);
  (void)batch.take();
  return 0;
}
