// An event as JSON, by canonical field names, absent fields left out; times in RFC 3339. Any thread.
#pragma once

#include <string>

#include "event/batch.h"

namespace redoubt::event {

// {"@timestamp":"…","event.type":"process",…}
std::string to_json(const Row& row);
// The attributes alone, under their own names: the form in which the store keeps them.
std::string attributes_to_json(const Row& row);

}  // namespace redoubt::event
