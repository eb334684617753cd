// Definitions as conditions without names: lists written out, exceptions added, macros put in, names checked. Any
// thread.
#pragma once

#include <vector>

#include "rules/falco/definitions.h"
#include "rules/falco/lower.h"
#include "rules/falco/output.h"
#include "rules/falco/vocabulary.h"

namespace redoubt::rules::falco {

struct LoadedRule {
  RuleDefinition definition;
  Filter filter;  // without macros
  EventNameSet event_types;
  Output output;
  Lowered lowered;
};

// Bounds on what lists and macros may become.
constexpr int kMacroDepthMax = 32;
constexpr size_t kFilterCostMax = size_t{8} << 20;  // bytes of one rule's condition in memory
constexpr size_t kWrittenMax = size_t{64} << 20;    // bytes of all conditions with their lists
constexpr int kListDepthMax = 32;

// Every rule that has no error, in order of definition; disabled ones too.
std::vector<LoadedRule> compile(const Definitions& definitions, LoadResult& result);

}  // namespace redoubt::rules::falco
