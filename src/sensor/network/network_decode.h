// Reads the records of the network source into events. Ring thread; pure.
#pragma once

#include <string_view>

#include "sensor/decoded.h"
#include "sensor/network/network_record.h"

namespace redoubt::v1 {
class Event;
}

namespace redoubt::sensor {

// Sets event.type, event.action, network.*, source.* and destination.*. `record` is aligned to 8 bytes.
Decoded decode_connection(std::string_view record, v1::Event& event);

}  // namespace redoubt::sensor
