// Hostile answers of a scanner API: states of scans and filters.
#include <cstdint>
#include <string_view>

#include "gateway/scan_answers.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace gateway = redoubt::gateway;
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  (void)gateway::parse_filters(body);
  const auto results = gateway::parse_states(body);
  if (!results) return 0;
  if (results->size() > gateway::kScansMax) __builtin_trap();
  for (const auto& result : *results) {
    if (result.scan_id.empty() || result.scan_id.size() > gateway::kScanIdBytesMax) __builtin_trap();
    // Clean is only what says so in so many words.
    const bool is_clean = result.state == gateway::ScanState::not_detected;
    if (is_clean && body.find("detected") == std::string_view::npos && body.find('\\') == std::string_view::npos) {
      __builtin_trap();
    }
  }
  return 0;
}
