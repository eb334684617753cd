// Names of ATT&CK's techniques and tactics, read from the STIX 2.1 bundle that its makers publish (attack-pattern
// objects with external_references and kill_chain_phases, x-mitre-tactic objects, revoked-by relationships). Hostile
// input: size, nesting and counts are limited; everything but the few members that are needed is passed over unread.
// Any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace redoubt::rules::attack {

constexpr size_t kBundleBytesMax = size_t{128} << 20;
constexpr int kNestingMax = 32;
constexpr size_t kObjectsMax = 200'000;
constexpr size_t kTechniquesMax = 10'000;
constexpr size_t kTacticsMax = 100;
constexpr size_t kTacticsOfTechniqueMax = 20;
constexpr size_t kNameBytesMax = 200;

struct Tactic {
  std::string short_name;  // "command-and-control", as rules write it
  std::string name;        // "Command and Control"
};

struct Technique {
  std::string id;  // "T1059.004"
  std::string name;
  std::vector<std::string> tactics;  // short names
  std::string replaced_by;           // the id that took its place; empty for one that is in use, or has no successor
};

struct Matrix {
  std::string version;
  std::vector<Tactic> tactics;
  std::vector<Technique> techniques;  // in order of ids; one that is out of use is here if it has no newer namesake
};

// invalid_argument: no bundle with techniques in it, or past a limit.
Result<Matrix> read_bundle(std::string_view bundle);

// The tactics of the enterprise matrix in its order, for a node that has no bundle.
std::span<const std::pair<std::string_view, std::string_view>> known_tactics();

}  // namespace redoubt::rules::attack
