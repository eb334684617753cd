// Hostile reports: what a scan worker answers after it has read an object, and the other packets of its socket.
#include <cstdint>
#include <string_view>

#include "scan/wire.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace wire = redoubt::scan::wire;
  const std::string_view packet(reinterpret_cast<const char*>(data), size);
  (void)wire::decode_hello(packet);
  (void)wire::decode_greeting(packet);
  (void)wire::decode_rules(packet);
  (void)wire::decode_request(packet);
  const auto answer = wire::decode_answer(packet);
  if (!answer || std::holds_alternative<wire::Part>(*answer)) return 0;
  // What is taken is within the limits, so it can be written again.
  const auto* page = std::get_if<wire::Page>(&*answer);
  const wire::Report report = page != nullptr ? wire::Report{.verdict = redoubt::scan::Verdict::detect, .page = *page}
                                              : std::get<wire::Report>(*answer);
  for (const auto& again : wire::encode(report)) {
    if (again.size() > wire::kPacketBytesMax || !wire::decode_answer(again)) __builtin_trap();
  }
  return 0;
}
