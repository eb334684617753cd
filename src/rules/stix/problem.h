// Diagnostic codes of STIX bundles and their patterns.
#pragma once

#include <string_view>

namespace redoubt::rules::stix::code {

constexpr std::string_view kJson = "T101";         // not JSON, not UTF-8
constexpr std::string_view kLimit = "T102";        // size or nesting refused
constexpr std::string_view kShape = "T103";        // not a bundle; an indicator without what it needs
constexpr std::string_view kPatternType = "T104";  // a pattern in another language
constexpr std::string_view kRevoked = "T105";      // its author took it back
constexpr std::string_view kPath = "T201";         // warning: no event has the object path
constexpr std::string_view kNever = "T202";        // warning: a comparison that no event can meet
constexpr std::string_view kNothing = "T301";      // no comparison can hold on the events here
constexpr std::string_view kValue = "T302";        // value or operator that the path does not take
constexpr std::string_view kGrammar = "T401";      // not the pattern grammar
constexpr std::string_view kCorrelation = "T402";  // needs more than one event: AND, FOLLOWEDBY, WITHIN, REPEATS
constexpr std::string_view kTooBig = "T501";       // more tests or nesting than an expression may have

}  // namespace redoubt::rules::stix::code
