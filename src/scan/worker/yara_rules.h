// Compiles a rule bundle so that one bad rule costs nothing but itself: what does not compile is left out and named.
// Called by the YARA engine; inside the jail, since rule files are written by others. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "scan/refused_rule.h"
#include "scan/wire.h"

struct YR_RULES;

namespace redoubt::scan {

struct DestroyYaraRules {
  void operator()(YR_RULES* rules) const;
};

struct YaraRules {
  std::unique_ptr<YR_RULES, DestroyYaraRules> rules;
  std::vector<RefusedRule> refused;  // the first of them
  uint64_t refused_total = 0;
};

// An error where no rule is left, or where they do not fit into memory.
Result<YaraRules> compile_rules(std::vector<wire::RuleFile> files);

}  // namespace redoubt::scan
