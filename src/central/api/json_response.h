// JSON values as responses. Any thread.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "central/api/http.h"

namespace redoubt::central {

// Text that is not UTF-8 (names from hostile senders) is repaired, not refused.
Response json_response(const nlohmann::ordered_json& json, int status = 200);
inline Response no_content() { return {.status = 204, .content_type = ""}; }

}  // namespace redoubt::central
