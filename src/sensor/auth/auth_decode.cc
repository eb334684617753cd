#include "sensor/auth/auth_decode.h"

#include <cstddef>

#include "sensor/path_text.h"

namespace redoubt::sensor {

std::optional<AuthRecord> decode_auth(std::string_view record) {
  if (record.size() < offsetof(rd_auth, text)) return std::nullopt;
  const auto& raw = *reinterpret_cast<const rd_auth*>(record.data());
  if (raw.text_bytes > record.size() - offsetof(rd_auth, text)) return std::nullopt;
  return AuthRecord{.head = raw.head, .text = field_text({raw.text, raw.text_bytes})};
}

}  // namespace redoubt::sensor
