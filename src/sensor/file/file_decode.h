// Reads the records of the file source into events. Ring thread; pure.
#pragma once

#include <string_view>

#include "sensor/decoded.h"
#include "sensor/file/file_record.h"

namespace redoubt::v1 {
class Event;
}

namespace redoubt::sensor {

// Sets event.type, event.action and file.*. `record` is aligned to 8 bytes.
Decoded decode_file(std::string_view record, v1::Event& event);

}  // namespace redoubt::sensor
