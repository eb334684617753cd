// Reads the records of the kernel source into events. Ring thread; pure.
#pragma once

#include <string_view>

#include "sensor/decoded.h"
#include "sensor/process/process_record.h"

namespace redoubt::v1 {
class Event;
}

namespace redoubt::sensor {

// Type, action and what it is about. `record` is aligned to 8 bytes, as the rings hold it.
Decoded decode_kernel_change(std::string_view record, v1::Event& event);

// What its process might do. The record is whole.
const rd_context& context_of(std::string_view kernel_change);

}  // namespace redoubt::sensor
