// Messages of DNS: anyone on the network writes them.
#include <cstdint>
#include <string_view>

#include "base/text.h"
#include "sensor/dns/dns_message.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto message = redoubt::sensor::parse_dns({reinterpret_cast<const char*>(data), size});
  if (!message) return 0;
  // Every byte of a name becomes at most four.
  constexpr size_t kNameMax = size_t{4} * 256;
  if (message->name.empty() || message->name.size() > kNameMax) __builtin_trap();
  if (message->answers.size() > redoubt::sensor::kDnsAnswersMax) __builtin_trap();
  if (!redoubt::base::is_utf8(message->name)) __builtin_trap();
  for (const auto& answer : message->answers) {
    if (!redoubt::base::is_utf8(answer.text)) __builtin_trap();
  }
  return 0;
}
