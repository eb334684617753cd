// Counts the hits of rules in windows of event time and says which correlations hold. Made over a rule set; hits come
// in through observe() and take(), in the order in which they happened as nearly as may be.
//
// A window is a stretch of one timespan. Where more events can only help (Decision::at_once) it may lie anywhere, and
// the correlation fires with the event that completes it; else windows follow one another from a group's first event on
// and are judged when their time is over, as the host of the group's latest event tells time. After a firing the group
// starts anew: no event is counted in two firings of one correlation.
//
// Every event counts once: of a host and boot, nothing up to the highest sequence number taken is taken again. One
// thread at a time.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "query/match/matcher.h"
#include "rules/correlation/group.h"
#include "rules/rule_set.h"

namespace redoubt::rules::correlation {

struct EventKey {
  std::string host_id;
  std::string boot_id;
  uint64_t sequence = 0;
};

// One hit of a rule as a correlation sees it.
struct Observation {
  uint32_t correlation = 0;
  uint32_t reference = 0;
  uint32_t row = 0;  // of the batch
  int64_t time_us = 0;
  uint64_t sequence = 0;
  uint64_t value = 0;  // as Entry::value
  std::string group;   // append_part() of the group's values
};

// What the events of one host and boot have to say, in order.
struct Intake {
  std::string host_id;
  std::string boot_id;
  std::string host_name;
  uint64_t last_sequence = 0;
  int64_t newest_us = 0;
  std::vector<Observation> observations;
};

constexpr size_t kFiringEventsMax = 100;

struct Firing {
  uint32_t correlation = 0;
  // The same whenever the same events make the correlation fire.
  std::string key;
  std::string subject;             // the group: 32 hexadecimal digits
  std::vector<std::string> group;  // beside Definition::group_by
  int64_t first_us = 0, last_us = 0;
  uint64_t count = 0;            // of events in the window
  double measured = 0;           // what the condition is about
  std::vector<EventKey> events;  // the latest ones, at most kFiringEventsMax; of a chain the last of each firing
  std::string host_name;         // of the last of them
  std::optional<uint32_t> row;   // of the batch: the event that completed the window; none at a window's end
};

// What limits have cost since the start.
struct GivenUp {
  uint64_t groups = 0;       // the oldest, to make room
  uint64_t events = 0;       // the oldest of a group that is full
  uint64_t late_events = 0;  // over a timespan behind every window that is kept
};

enum class Change : uint8_t { none, some };

struct Outcome {
  std::vector<Firing> firings;   // of correlations that are shown
  Change change = Change::none;  // none: to take nothing instead would have left the same state
};

constexpr size_t kGroupsMax = 100'000;  // of one correlation
constexpr size_t kStateBytesMax = size_t{64} << 20;
constexpr size_t kSourcesMax = 65'536;
// A group is forgotten when its host has been past its last window for so long.
constexpr int64_t kIdleUs = 60'000'000;

// Whose firings are given out: of those that raise alerts, or of all.
enum class Shown : uint8_t { alerting, all };

struct CorrelatorOptions {
  size_t groups_max = kGroupsMax;
  size_t state_bytes_max = kStateBytesMax;
  size_t sources_max = kSourcesMax;
  Shown shown = Shown::alerting;
};

class Correlator {
 public:
  // The rule set outlives it.
  explicit Correlator(const RuleSet& rules, const CorrelatorOptions& options = {});
  ~Correlator();
  Correlator(Correlator&&) noexcept;
  Correlator& operator=(Correlator&&) noexcept;

  // What the hits of a batch (all of one host and boot, in order of rows) mean to the correlations.
  Intake observe(const std::string& host_id, const event::Batch& batch, std::span<const query::match::Hit> hits) const;
  // The same of one event that is no row of a batch.
  void observe_event(uint32_t rule, const EventFields& fields, const Observation& event, Intake& intake) const;

  Outcome take(const Intake& intake);

  // All that was counted. load() takes over what belongs to correlations that are the same here, by their key_of(), and
  // leaves out the others; what it cannot read (corrupt, unsupported) changes nothing.
  std::string save() const;
  Status load(std::string_view state);
  // An intake as bytes, for a journal between two states; it means the same to every correlator that has loaded the
  // state. Observations of correlations that are not here are left out.
  std::string encode(const Intake& intake) const;
  Result<Intake> decode(std::string_view bytes) const;

  const GivenUp& given_up() const;
  size_t groups() const;
  size_t bytes() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace redoubt::rules::correlation
