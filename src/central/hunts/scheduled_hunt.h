// A saved hunt that runs by itself: its text, when it runs, and how its latest run went. Values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "rules/rule_set.h"
#include "store/state/state_db.h"

namespace redoubt::central {

constexpr int64_t kHuntIntervalUsMin = base::kMinuteUs;
constexpr int64_t kHuntIntervalUsMax = 30 * base::kDayUs;
constexpr int64_t kHuntWindowUsMax = 90 * base::kDayUs;
// A run looks back over the interval and this much more, for events that arrive late; so much at least, and if nothing
// is said.
constexpr int64_t kHuntOverlapUsMin = base::kMinuteUs;
constexpr int64_t kHuntOverlapUsDefault = 10 * base::kMinuteUs;
constexpr size_t kScheduledHuntsMax = 500;
constexpr size_t kScheduledHuntTextMax = size_t{16} << 10;
constexpr size_t kScheduledHuntNameMax = 200;
constexpr size_t kHuntDetectionsMax = 1000;  // that one run makes; it counts what is beyond

enum class HuntSwitch : uint8_t { on, off };

struct ScheduledHunt {
  int64_t id = 0;
  std::string name;
  std::string query;  // its pipes may sort and limit what a person sees; a run minds the condition alone
  rules::Importance importance = rules::Importance::medium;
  int64_t interval_us = base::kHourUs;
  int64_t window_us = base::kHourUs + kHuntOverlapUsDefault;
  HuntSwitch state = HuntSwitch::on;
  std::string author;
  base::Time created;

  base::Time covered_until;  // history before it was looked at
  base::Time next_run;
  base::Time last_run;       // 0: it never ran
  int64_t last_found = 0;    // events in the window
  int64_t last_new = 0;      // of these, that no run had found before and that are detections now
  int64_t last_beyond = 0;   // of these, that are over a limit and were left out
  std::string last_problem;  // why the latest run failed or is not complete
  int64_t detections = 0;    // of all runs
};

extern const std::string_view kHuntsMigration;

// Rows of the table `scheduled_hunts`, inside a transaction of StateDb; may throw what SOCI throws.
std::vector<ScheduledHunt> read_scheduled_hunts(soci::session& sql);
// Gives a hunt without an id its own.
void write_scheduled_hunt(soci::session& sql, ScheduledHunt& hunt);
void delete_scheduled_hunt(soci::session& sql, int64_t id);

}  // namespace redoubt::central
