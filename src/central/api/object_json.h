// An object and what engines said of it, as the API shows it. Any thread.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "central/objects/object_service.h"

namespace redoubt::central {

nlohmann::ordered_json stored_object_json(const Object& object);

}  // namespace redoubt::central
