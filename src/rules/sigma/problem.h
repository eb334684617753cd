// What is wrong with a Sigma rule: diagnostic codes and where they are collected. A pass reports and goes on with a
// harmless value; its caller looks at first() once at the end.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "query/diagnostic.h"

namespace redoubt::rules::sigma {

namespace code {
constexpr std::string_view kFile = "S100";              // unreadable, too large, not UTF-8
constexpr std::string_view kYaml = "S101";              // not YAML
constexpr std::string_view kYamlLimit = "S102";         // alias, nesting or number of values refused
constexpr std::string_view kMissing = "S103";           // a key that every rule needs
constexpr std::string_view kShape = "S104";             // a map, list or value where another is expected
constexpr std::string_view kId = "S105";                // not a UUID
constexpr std::string_view kDuplicateId = "S106";       // two rules with one id
constexpr std::string_view kDocumentKind = "S107";      // action that is not known
constexpr std::string_view kLevel = "S108";             // not a level
constexpr std::string_view kLogSource = "S201";         // no event type here is that log source
constexpr std::string_view kField = "S301";             // field not known
constexpr std::string_view kModifier = "S302";          // modifier not known
constexpr std::string_view kModifierUse = "S304";       // modifiers that do not go together, or with that field
constexpr std::string_view kValue = "S305";             // value of a type that the field or modifier does not take
constexpr std::string_view kRegex = "S306";             // regular expression that RE2 does not take
constexpr std::string_view kCidr = "S307";              // not an address or prefix
constexpr std::string_view kPlaceholder = "S309";       // `%name%` that is not in the table
constexpr std::string_view kEmpty = "S308";             // a search that says nothing
constexpr std::string_view kCondition = "S401";         // condition grammar
constexpr std::string_view kIdentifier = "S402";        // condition names a search that is not there
constexpr std::string_view kPattern = "S403";           // `1 of x*` where nothing is called x…
constexpr std::string_view kAggregation = "S404";       // `| count()` in a condition
constexpr std::string_view kFilterSense = "S405";       // warning: a filter that only lets through what it names
constexpr std::string_view kFilterRule = "S406";        // warning: a filter names a rule that is not there
constexpr std::string_view kTooBig = "S501";            // more tests or nesting than an expression may have
constexpr std::string_view kCorrelationType = "S601";   // not a type of correlation, or one that is not built
constexpr std::string_view kCorrelationKey = "S602";    // a key that `correlation` does not have
constexpr std::string_view kTimespan = "S603";          // not a timespan, or one that is too long
constexpr std::string_view kCorrelationBound = "S604";  // a condition that the type does not take
constexpr std::string_view kCorrelationRule = "S605";   // names a rule that is not there, or two of one name
constexpr std::string_view kCorrelationCycle = "S606";  // counts itself, or is too long a chain
constexpr std::string_view kGroupBy = "S607";           // a field or alias that a counted rule does not have
constexpr std::string_view kCorrelationLimit = "S608";  // more than is kept
}  // namespace code

// A stretch of the file, as in query::Diagnostic.
struct Place {
  size_t line = 1;
  size_t column = 1;
  size_t length = 1;
};

class Problems {
 public:
  // Only the first one is kept.
  void add(std::string_view code, Place place, std::string message, std::string hint = "");
  const std::optional<query::Diagnostic>& first() const { return first_; }

 private:
  std::optional<query::Diagnostic> first_;
};

// "did you mean 'a' or 'b'?", or `otherwise` where nothing comes near.
std::string suggest(const std::vector<std::string>& nearest, std::string otherwise);

}  // namespace redoubt::rules::sigma
