// Rules and what is wrong with them, as JSON. Any thread.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <variant>

#include "central/api/http.h"
#include "rules/rule_set.h"

namespace redoubt::central {

// {"path", "title", "diagnostic": {…}}
nlohmann::ordered_json refusal_json(const rules::Refusal& refusal);
// The words of each.
nlohmann::ordered_json warnings_json(const rules::Rule& rule);
// `source` is what the diagnostic is about.
Response error_response(const std::variant<query::Diagnostic, Error>& error, std::string_view source);

}  // namespace redoubt::central
