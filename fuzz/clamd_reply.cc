// Hostile replies of a clamd: who can make its socket can answer.
#include <cstdint>
#include <string_view>

#include "scan/clamav.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view reply(reinterpret_cast<const char*>(data), size);
  const auto parsed = redoubt::scan::parse_clamd_reply(reply);
  if (parsed && parsed->kind == redoubt::scan::ClamdReply::Kind::found && parsed->text.empty()) __builtin_trap();
  return 0;
}
