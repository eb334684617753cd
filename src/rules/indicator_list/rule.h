// Plain lists of indicators as one rule: one a line, its type told from its form; `#` starts a comment. Hashes,
// addresses and prefixes, absolute paths are watched for; what events here do not carry (other hashes, domain names,
// URLs) is counted in Rule::warnings. Any thread.
//
//   # title: Hashes of the week       (also `importance:` and `description:`, in comments before the first indicator)
//   e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
//   203.0.113.0/24   # and what follows a blank is for people
#pragma once

#include <string>
#include <string_view>

#include "rules/rule_file.h"

namespace redoubt::rules::indicator_list {

constexpr size_t kListSizeMax = size_t{128} << 20;

namespace code {
constexpr std::string_view kText = "L101";         // not UTF-8
constexpr std::string_view kNotCarried = "L201";   // warning: no event has that kind of indicator
constexpr std::string_view kNoIndicator = "L202";  // warning: of no known form
constexpr std::string_view kNothing = "L301";      // nothing of the list can be watched for
}  // namespace code

// The rule's id is "list:" and the path: it stays when the content changes.
LoadedFile read_list(std::string_view source, const std::string& path);

}  // namespace redoubt::rules::indicator_list
