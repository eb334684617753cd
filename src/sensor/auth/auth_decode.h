// Reads the records of the auth source. Ring thread; pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sensor/auth/auth_record.h"

namespace redoubt::sensor {

struct AuthRecord {
  rd_head head;
  std::string text;  // the datagram, as valid UTF-8
};

// Absent if the record is not whole. `record` is aligned to 8 bytes, as the rings hold it.
std::optional<AuthRecord> decode_auth(std::string_view record);

}  // namespace redoubt::sensor
