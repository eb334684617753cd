// Messages about logins, as programs write them.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "sensor/auth/auth_message.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto message = redoubt::sensor::parse_auth_message(bytes);
  // A user is only ever told of with what happened to them.
  if (message && message->action.empty() && message->user_id) std::abort();
  return 0;
}
