// What a correlation says: which rules and other correlations it counts, by what they are grouped, in how long a time,
// and what of them has to hold. Made by sigma/correlation.cc, run by correlator.h. Values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rules/correlation/key.h"

namespace redoubt::rules::correlation {

enum class Type : uint8_t {
  event_count,        // how many events
  value_count,        // how many different values of a field (of a tuple of fields)
  value_sum,          // of a number
  value_avg,          // of a number
  value_percentile,   // of a number, nearest rank
  value_median,       // of a number
  temporal,           // how many of the rules; all, unless a condition says another number
  temporal_ordered,   // all of the rules, in the order in which they are named
  temporal_extended,  // which of the rules: a boolean expression over their names
};

std::string_view name_of(Type type);

enum class Comparison : uint8_t { gt, gte, lt, lte, eq, neq };

std::string_view name_of(Comparison comparison);

struct Bound {
  Comparison comparison;
  double value;
};

bool holds(const Bound& bound, double measured);

enum class ReferenceKind : uint8_t { rule, correlation };

// One of those that are counted. By id, so that it means the same in every rule set.
struct Reference {
  std::string id;
  ReferenceKind kind = ReferenceKind::rule;
  std::vector<Key> group_by;  // beside Definition::group_by
  std::vector<Key> fields;    // beside Definition::fields
};

// temporal_extended: which references occur, in the order in which a stack takes them.
enum class PresenceStep : uint8_t { occurs, negation, both, either };
struct Presence {
  PresenceStep step;
  uint32_t reference = 0;  // of `occurs`
};

struct Definition {
  Type type = Type::event_count;
  std::vector<Reference> references;
  std::vector<std::string> group_by;  // none: all events are one group
  std::vector<std::string> fields;    // value_*
  int64_t timespan_us = 0;
  std::vector<Bound> bounds;       // all hold; none for temporal_ordered and temporal_extended
  std::vector<Presence> presence;  // temporal_extended
  double percentile = 0;           // value_percentile, 0 … 100
};

// When a window is judged. Where more events can only bring it nearer, at once; else when its time is over.
enum class Decision : uint8_t { at_once, at_the_end };
Decision decision_of(const Definition& definition);

// The same for the same id and meaning, another one for another meaning: 64 hexadecimal digits. What a correlation has
// counted is kept under it over restarts and reloads of the rules.
std::string key_of(std::string_view id, const Definition& definition);

constexpr size_t kReferencesMax = 64;
constexpr size_t kGroupFieldsMax = 16;
// How many events of one group are kept; a correlation that needs more to fire is refused.
constexpr size_t kGroupEventsMax = 16'384;
constexpr size_t kChainDepthMax = 8;
constexpr int64_t kTimespanUsMax = int64_t{30} * 24 * 3600 * 1'000'000;
// Times that a host may claim: sums with timespans stay far from overflow.
constexpr int64_t kTimeUsMax = int64_t{1} << 61;
constexpr size_t kGroupNameMax = kGroupFieldsMax * (kKeyValueBytesMax + 2);

}  // namespace redoubt::rules::correlation
