// The OpenIOC front end, versions 1.0 and 1.1 (https://github.com/mandiant/OpenIOC_1.1): a file is one rule. A
// condition that events here cannot answer never holds, is named in Rule::warnings, and the rest counts; a file of such
// conditions alone is refused. Hostile input: entities and document types are refused, sizes and nesting limited. Any
// thread.
#pragma once

#include <string>
#include <string_view>

#include "rules/rule_file.h"

namespace redoubt::rules::openioc {

constexpr size_t kFileSizeMax = size_t{3} << 20;
constexpr int kNestingMax = 32;  // of Indicator elements
constexpr size_t kConditionsMax = 20'000;
constexpr size_t kWarningsMax = 100;  // written out; the last one counts the rest

namespace code {
constexpr std::string_view kXml = "O101";        // not XML, not UTF-8
constexpr std::string_view kLimit = "O102";      // document type, size, nesting or number of conditions refused
constexpr std::string_view kShape = "O103";      // an element or attribute that every file needs
constexpr std::string_view kTerm = "O201";       // warning: no event has the term
constexpr std::string_view kCondition = "O202";  // warning: condition not known
constexpr std::string_view kValue = "O203";      // warning: value or condition that the term does not take
constexpr std::string_view kNothing = "O301";    // no condition can hold on the events here
constexpr std::string_view kTooBig = "O501";     // more tests or nesting than an expression may have
}  // namespace code

LoadedFile read_openioc(std::string_view source, const std::string& path);

}  // namespace redoubt::rules::openioc
