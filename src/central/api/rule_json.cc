#include "central/api/rule_json.h"

#include <nlohmann/json.hpp>

namespace redoubt::central {

using nlohmann::ordered_json;

ordered_json refusal_json(const rules::Refusal& refusal) {
  const query::Diagnostic& diagnostic = refusal.diagnostic;
  return {{"path", refusal.path},
          {"title", refusal.title},
          {"diagnostic",
           {{"code", diagnostic.code},
            {"line", diagnostic.line},
            {"column", diagnostic.column},
            {"length", diagnostic.length},
            {"message", diagnostic.message},
            {"hint", diagnostic.hint},
            {"rendered", refusal.rendered}}}};
}

ordered_json warnings_json(const rules::Rule& rule) {
  ordered_json warnings = ordered_json::array();
  for (const query::Diagnostic& warning : rule.warnings) warnings.push_back(warning.message);
  return warnings;
}

Response error_response(const std::variant<query::Diagnostic, Error>& error, std::string_view source) {
  if (const auto* diagnostic = std::get_if<query::Diagnostic>(&error)) return error_response(*diagnostic, source);
  return error_response(std::get<Error>(error));
}

}  // namespace redoubt::central
