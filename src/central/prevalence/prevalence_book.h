// How common things are in the fleet: on how many hosts a program, a shape of a command line, a pair of parent and
// child and a destination were seen in the last 30 days. Counts what comes in and adds the counts to the events, so
// that rules and hunts can ask for what is rare. Any thread.
//
// Kept in the state database, where it is written from time to time: a crash forgets at most what came since. Of each
// thing the hosts that had it last are kept, up to kPrevalenceHostsMax; of each kind a number of things, of which those
// that were not seen for longest are forgotten first: who floods the book makes known things look new, never new ones
// known.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "event/batch.h"
#include "store/state/state_db.h"

namespace redoubt::central {

extern const std::string_view kPrevalenceMigration;

constexpr int kPrevalenceDays = 30;
constexpr size_t kPrevalenceHostsMax = 16;      // a count of so many stands for more
constexpr size_t kPrevalenceKeysMax = 250'000;  // of a kind
constexpr size_t kPrevalenceKinds = 4;

class PrevalenceBook {
 public:
  ~PrevalenceBook();
  // `keys_max`: kPrevalenceKeysMax; a test names fewer.
  static Result<std::unique_ptr<PrevalenceBook>> open(store::StateDb& state, base::Metrics& metrics, base::Time now,
                                                      size_t keys_max = kPrevalenceKeysMax);

  // Counts what the host's events show, this host included, and adds to each event what is known then. A batch that
  // comes again counts nothing twice.
  void note(const std::string& host_id, event::Batch& batch, base::Time now);
  // Writes what has changed.
  Status save(base::Time now);

 private:
  using Day = uint32_t;  // since the epoch
  struct Things;         // what was seen, by kind and key
  struct Host {
    std::string id;
    Day first = 0;
    Day last = 0;
    bool is_changed = false;
  };
  struct Row;      // of the database
  struct Changes;  // what save() writes

  PrevalenceBook(store::StateDb& state, base::Metrics& metrics, size_t keys_max);
  Status load(Day today);
  void load_row(const Row& row, Day today);
  uint32_t host_number(const std::string& host_id, Day today);
  static bool is_heard(const Host& host, Day today);  // in the last kPrevalenceDays
  void count_fleet(Day today);
  int64_t see(size_t kind, uint64_t key, uint32_t host, Day today);
  Changes take_changes();
  void put_back(const Changes& changes);
  bool forget_old(Day today);
  void report();

  store::StateDb& state_;
  base::Metric& keys_;
  size_t keys_max_;
  std::mutex mutex_;
  std::unique_ptr<Things> things_;
  std::vector<Host> hosts_;  // by number
  std::map<std::string, uint32_t, std::less<>> host_numbers_;
  std::vector<std::pair<size_t, uint64_t>> changed_;  // kind and key
  int64_t fleet_ = 0;
  Day fleet_day_ = 0;  // of which fleet_ is
  Day first_day_ = 0;  // 0: none
  Day swept_day_ = 0;
};

}  // namespace redoubt::central
