// Reads the records of the tamper source. Ring thread; pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sensor/tamper/tamper_record.h"

namespace redoubt::sensor {

// Absent if the record is not whole. `record` is aligned to 8 bytes, as the rings hold it.
std::optional<rd_tamper> decode_tamper(std::string_view record);

// "SIGKILL"; "SIG40" for one without a name.
std::string signal_name(uint32_t signal);

}  // namespace redoubt::sensor
