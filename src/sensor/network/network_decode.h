// Reads the records of the network source into events. Ring thread; pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sensor/decoded.h"
#include "sensor/network/network_record.h"

namespace redoubt::v1 {
class Event;
}

namespace redoubt::sensor {

// Sets event.type, event.action, error.code, network.*, source.*, destination.*, socket.descriptor; event.count where
// it is not one. `record` is aligned to 8 bytes.
Decoded decode_connection(std::string_view record, v1::Event& event);
// Sets event.type, event.action and socket.*.
Decoded decode_socket(std::string_view record, v1::Event& event);

// An address of a record as text; `version` is RD_IPV4 or RD_IPV6.
std::string address_text(const uint8_t* address, int version);

}  // namespace redoubt::sensor
