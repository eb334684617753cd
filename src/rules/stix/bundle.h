// The STIX front end: a bundle (or an indicator alone) as rules, one an indicator. What cannot be watched for here is a
// refusal that says why; a refusal's place is that of the pattern, its title names the indicator. Hostile input: size
// and nesting are limited. Any thread.
#pragma once

#include <string>
#include <string_view>

#include "rules/rule_file.h"

namespace redoubt::rules::stix {

constexpr size_t kBundleSizeMax = size_t{16} << 20;
constexpr int kJsonNestingMax = 64;
constexpr size_t kJsonValuesMax = 500'000;

LoadedFile read_bundle(std::string_view source, const std::string& path);

}  // namespace redoubt::rules::stix
