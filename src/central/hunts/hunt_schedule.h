// Runs saved hunts over stored history when they are due and makes an alert of what they find, each event once: a
// detection's key is the hunt and the event's host, boot and sequence number. A run that is missed, because the node
// was down say, is made up for by one run over the whole stretch. Any thread; runs go one at a time.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "central/alerts/alert_book.h"
#include "central/hunts/hunt_service.h"
#include "central/hunts/scheduled_hunt.h"
#include "store/state/state_db.h"

namespace redoubt::central {

struct HuntChange {
  std::optional<std::string> name, query;
  std::optional<rules::Importance> importance;
  std::optional<int64_t> interval_us, window_us;
  std::optional<HuntSwitch> state;
};

// The parts outlive the schedule.
struct HuntScheduleParts {
  store::StateDb& state;
  HuntService& hunts;
  AlertBook& alerts;
  base::Metrics& metrics;
};

class HuntSchedule {
 public:
  static Result<std::unique_ptr<HuntSchedule>> open(const HuntScheduleParts& parts);
  ~HuntSchedule() { stop(); }

  // Runs what is due from now on.
  void start();
  void stop();

  std::vector<ScheduledHunt> list() const;  // in order of ids
  Result<ScheduledHunt> get(int64_t id) const;
  // The first run is at once, over its window before `now`. id, author and the facts of runs are set here.
  HuntOutcome<ScheduledHunt> save(ScheduledHunt hunt, const std::string& user, base::Time now);
  HuntOutcome<ScheduledHunt> change(int64_t id, const HuntChange& change, base::Time now);
  Status remove(int64_t id);

  // Blocks until the hunt ran; how it went stands in it.
  Result<ScheduledHunt> run(int64_t id, base::Time now);
  // Every hunt that is due; how many ran. start() calls it.
  size_t run_due(base::Time now);

 private:
  struct Run {
    int64_t found = 0, fresh = 0, beyond = 0;
    std::string partial_why;
  };

  explicit HuntSchedule(const HuntScheduleParts& parts);
  HuntOutcome<ScheduledHunt> keep(ScheduledHunt hunt);
  Result<Run> look(const ScheduledHunt& hunt, base::Time now);
  void wait_and_run();

  HuntScheduleParts parts_;
  base::Metric &runs_, &runs_failed_, &detections_;
  std::mutex run_mutex_;
  mutable std::mutex mutex_;  // guards what follows, for moments
  std::map<int64_t, ScheduledHunt> hunts_;
  bool stopping_ = false;
  std::condition_variable changed_;
  std::thread runner_;
};

}  // namespace redoubt::central
