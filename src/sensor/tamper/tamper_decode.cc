#include "sensor/tamper/tamper_decode.h"

#include <string.h>

namespace redoubt::sensor {

std::optional<rd_tamper> decode_tamper(std::string_view record) {
  if (record.size() < sizeof(rd_tamper)) return std::nullopt;
  return *reinterpret_cast<const rd_tamper*>(record.data());
}

std::string signal_name(uint32_t signal) {
  constexpr uint32_t kSignalsMax = 64;
  const char* const name = signal <= kSignalsMax ? sigabbrev_np(static_cast<int>(signal)) : nullptr;
  return "SIG" + (name != nullptr ? std::string(name) : std::to_string(signal));
}

}  // namespace redoubt::sensor
