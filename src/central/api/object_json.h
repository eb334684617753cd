// An object and what engines said of it, as the API shows it. Any thread.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "central/objects/object_service.h"

namespace redoubt::central {

nlohmann::ordered_json stored_object_json(const Object& object);
// The same on one line.
std::string object_text(const Object& object);

}  // namespace redoubt::central
