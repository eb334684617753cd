// What loading Falco files found: Falco's seven errors and fifteen warnings, each with its place. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "query/diagnostic.h"
#include "rules/sigma/problem.h"

namespace redoubt::rules::falco {

using sigma::Place;

enum class LoadCode : uint8_t {
  file_read,  // errors from here
  yaml_parse,
  yaml_validate,
  compile_condition,
  compile_output,
  validate,
  extension,       // of Falco's plugins; there are none here
  unknown_source,  // warnings from here
  unsafe_na_check,
  no_evttype,
  unknown_filter,
  unused_macro,
  unused_list,
  unknown_item,
  deprecated_item,
  warning_extension,  // as `extension`
  append_no_values,
  exception_name_not_unique,
  invalid_macro_name,
  invalid_list_name,
  warning_compile_condition,
  unknown_key,
};

constexpr bool is_error(LoadCode code) { return code < LoadCode::unknown_source; }
// "LOAD_ERR_YAML_PARSE", "LOAD_UNKNOWN_SOURCE"
std::string_view name_of(LoadCode code);

struct Finding {
  LoadCode code{};
  std::string path;
  std::string item;  // "rule X", "macro Y", "list Z"; "" where it is about the file
  query::Diagnostic diagnostic;
};

// Warnings past this many are dropped; errors end a file or a rule, so that there are few.
constexpr size_t kFindingsMax = 10'000;

struct LoadResult {
  std::vector<Finding> findings;

  void add(LoadCode code, const std::string& path, std::string item, Place place, std::string message,
           std::string hint = "");
  size_t errors() const;
  size_t warnings() const { return findings.size() - errors(); }
};

}  // namespace redoubt::rules::falco
