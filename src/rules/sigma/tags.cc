#include "rules/sigma/tags.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/text.h"

namespace redoubt::rules::sigma {

namespace {

constexpr std::string_view kAttackPrefix = "attack.";

// Tactics of ATT&CK v19, and what older names became. v19 split defense-evasion; its larger part is stealth.
struct TacticName {
  std::string_view written;
  std::string_view name;
};
constexpr auto kTactics = std::to_array<TacticName>({
    {"reconnaissance", "reconnaissance"},
    {"resource-development", "resource-development"},
    {"initial-access", "initial-access"},
    {"execution", "execution"},
    {"persistence", "persistence"},
    {"privilege-escalation", "privilege-escalation"},
    {"stealth", "stealth"},
    {"defense-impairment", "defense-impairment"},
    {"defense-evasion", "stealth"},
    {"credential-access", "credential-access"},
    {"discovery", "discovery"},
    {"lateral-movement", "lateral-movement"},
    {"collection", "collection"},
    {"command-and-control", "command-and-control"},
    {"exfiltration", "exfiltration"},
    {"impact", "impact"},
});

bool are_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// "t1059" or "t1059.004".
bool is_technique(std::string_view text) {
  if (!text.starts_with('t') || !are_digits(text.substr(1, 4)) || text.size() < 5) return false;
  return text.size() == 5 || (text.size() == 9 && text[5] == '.' && are_digits(text.substr(6)));
}

void add_once(std::vector<std::string>& names, std::string name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
}

}  // namespace

void read_tags(std::span<const std::string> tags, std::vector<std::string>& techniques,
               std::vector<std::string>& tactics) {
  for (const std::string& tag : tags) {
    std::string folded = base::fold_case(tag);
    if (!folded.starts_with(kAttackPrefix)) continue;
    folded.erase(0, kAttackPrefix.size());
    if (is_technique(folded)) {
      folded[0] = 'T';
      add_once(techniques, std::move(folded));
      continue;
    }
    std::replace(folded.begin(), folded.end(), '_', '-');
    const auto* row =
        std::find_if(kTactics.begin(), kTactics.end(), [&](const auto& each) { return each.written == folded; });
    if (row != kTactics.end()) add_once(tactics, std::string(row->name));
  }
}

}  // namespace redoubt::rules::sigma
