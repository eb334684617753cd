// What people decide about rules, apart from the rules' files: whether a rule is on, how much its alerts matter, and
// what it does not hold for. Values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "rules/rule_set.h"

namespace redoubt::central {

enum class RuleSwitch : uint8_t { on, off };

struct RuleDecision {
  RuleSwitch state = RuleSwitch::on;
  std::optional<rules::Importance> importance;  // none: the one of the rule's file
  std::string changed_by;                       // empty: nobody ever changed it
  base::Time changed;
};

using RuleDecisions = std::map<std::string, RuleDecision, std::less<>>;  // by rule id

// An event that the condition holds for makes no detection of the rule.
struct Exclusion {
  int64_t id = 0;
  std::string rule_id;  // empty: every rule
  std::string name;
  std::string condition;  // hunting text without pipes
  std::string note;
  std::string author;
  base::Time created;
  base::Time expires;   // 0: never
  std::string problem;  // why it is not in effect though it should be; empty: it is
};

constexpr size_t kExclusionsMax = 2000;
constexpr size_t kExclusionTextMax = size_t{16} << 10;
constexpr size_t kExclusionNameMax = 200;
constexpr size_t kExclusionNoteMax = 2000;

inline bool has_expired(const Exclusion& exclusion, base::Time now) {
  return exclusion.expires.us != 0 && exclusion.expires <= now;
}

}  // namespace redoubt::central
