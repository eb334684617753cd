// Reads the records of the file source into events. Ring thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "sensor/decoded.h"
#include "sensor/file/file_record.h"

namespace redoubt::v1 {
class Event;
}

namespace redoubt::sensor {

class PathResolver;

// Sets event.type, event.action, event.count and file.*. `record` is aligned to 8 bytes. A path that only the caller
// knows is asked of `resolver`; where that finds none, it is what the caller gave, "." and ".." taken away as text.
Decoded decode_file(std::string_view record, PathResolver& resolver, v1::Event& event);

// The actions (a bit a rd_file_action) that `unwanted` names as filechange.ACTION.
uint32_t file_actions_in(std::span<const std::string> unwanted);

}  // namespace redoubt::sensor
