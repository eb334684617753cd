// Hostile batches: what an agent sends is decoded, walked and printed.
#include <cstdint>
#include <string>

#include "event/batch.h"
#include "event/frame.h"
#include "event/json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  std::string_view rest = bytes;
  while (redoubt::event::take_record(rest)) {
  }
  (void)redoubt::event::open_frame(bytes, redoubt::event::frame_checksum(bytes));
  const auto batch = redoubt::event::Batch::decode(bytes);
  if (!batch) return 0;
  for (size_t i = 0; i < batch->size(); ++i) (void)redoubt::event::to_json(batch->row(i));
  return 0;
}
