#include "rules/falco/load_result.h"

#include <algorithm>
#include <array>
#include <utility>

namespace redoubt::rules::falco {

namespace {

constexpr std::array<std::string_view, 22> kLoadCodeNames = {
    "LOAD_ERR_FILE_READ",      "LOAD_ERR_YAML_PARSE",
    "LOAD_ERR_YAML_VALIDATE",  "LOAD_ERR_COMPILE_CONDITION",
    "LOAD_ERR_COMPILE_OUTPUT", "LOAD_ERR_VALIDATE",
    "LOAD_ERR_EXTENSION",      "LOAD_UNKNOWN_SOURCE",
    "LOAD_UNSAFE_NA_CHECK",    "LOAD_NO_EVTTYPE",
    "LOAD_UNKNOWN_FILTER",     "LOAD_UNUSED_MACRO",
    "LOAD_UNUSED_LIST",        "LOAD_UNKNOWN_ITEM",
    "LOAD_DEPRECATED_ITEM",    "LOAD_WARNING_EXTENSION",
    "LOAD_APPEND_NO_VALUES",   "LOAD_EXCEPTION_NAME_NOT_UNIQUE",
    "LOAD_INVALID_MACRO_NAME", "LOAD_INVALID_LIST_NAME",
    "LOAD_COMPILE_CONDITION",  "LOAD_UNKNOWN_KEY"};
static_assert(kLoadCodeNames.size() == static_cast<size_t>(LoadCode::unknown_key) + 1);

}  // namespace

std::string_view name_of(LoadCode code) { return kLoadCodeNames[static_cast<size_t>(code)]; }

void LoadResult::add(LoadCode code, const std::string& path, std::string item, Place place, std::string message,
                     std::string hint) {
  if (findings.size() >= kFindingsMax && !is_error(code)) return;
  query::Diagnostic diagnostic{.code = std::string(name_of(code)),
                               .line = place.line,
                               .column = place.column,
                               .length = place.length,
                               .message = std::move(message),
                               .hint = std::move(hint)};
  findings.push_back({code, path, std::move(item), std::move(diagnostic)});
}

size_t LoadResult::errors() const {
  return static_cast<size_t>(
      std::count_if(findings.begin(), findings.end(), [](const Finding& finding) { return is_error(finding.code); }));
}

}  // namespace redoubt::rules::falco
