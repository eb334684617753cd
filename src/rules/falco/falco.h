// The Falco front end: files of lists, macros and rules as rules over our events. Files build on each other, so that a
// Loader takes them in order and compiles all of them at the end. Any thread, one at a time.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rules/falco/compile.h"
#include "rules/rule_set.h"

namespace redoubt::rules::falco {

struct Loaded {
  LoadResult result;
  std::vector<LoadedRule> rules;
};

class Loader {
 public:
  void add_file(std::string_view source, const std::string& path);
  Loaded finish();

 private:
  Definitions definitions_;
  LoadResult result_;
};

// True for a text that is a list and has one of Falco's items.
bool is_falco_file(std::string_view source);

// A refusal's code for a rule that is right and has no event here.
constexpr std::string_view kNoEvent = "NO_EVENT";
// A warning's code for what a rule leaves out, or takes wider than Falco.
constexpr std::string_view kPartly = "PARTLY";

// Rule id: "falco-" and 32 hexadecimal digits that depend on the name alone.
std::string rule_id(std::string_view name);

// What a rule set takes of loaded files.
struct RuleSetParts {
  std::vector<Rule> rules;        // enabled rules that have an expression, in order of definition
  std::vector<Refusal> refusals;  // errors, and enabled rules without an expression
  std::vector<Refusal> warnings;  // Falco's; what a rule judges in part stands in Rule::warnings
};
RuleSetParts parts_of(const Loaded& loaded);

// One file by itself, as a person who writes it wants it: diagnostics are rendered with their line and caret, and what
// a rule judges in part is among the warnings.
RuleSetParts check(std::string_view source, const std::string& path);

}  // namespace redoubt::rules::falco
