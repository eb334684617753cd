// The `attack.` tags of a rule as ATT&CK techniques and tactics. Any thread.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace redoubt::rules::sigma {

// `attack.t1059.004` → "T1059.004"; `attack.execution`, `attack.lateral_movement` → tactic names of ATT&CK v19, older
// names become their successors. Other tags are left out.
void read_tags(std::span<const std::string> tags, std::vector<std::string>& techniques,
               std::vector<std::string>& tactics);

}  // namespace redoubt::rules::sigma
