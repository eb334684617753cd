#include "central/api/json_response.h"

#include <nlohmann/json.hpp>

namespace redoubt::central {

Response json_response(const nlohmann::ordered_json& json, int status) {
  return {.status = status, .body = json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace)};
}

}  // namespace redoubt::central
