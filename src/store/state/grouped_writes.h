// Joins the writes of many threads into one transaction, so that a commit's wait for the disk is paid once for all who
// came meanwhile. A write that fails costs no other: those of its transaction are then run one by one. Any thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <vector>

#include "store/state/state_db.h"

namespace redoubt::store {

class GroupedWrites {
 public:
  // The database outlives it.
  explicit GroupedWrites(StateDb& state) : state_(state) {}

  // As StateDb::write: durable on return. `work` may run twice, the first time rolled back, so it only sets what it
  // would set again.
  Status write(const std::function<Status(soci::session&)>& work);
  // As StateDb::write_soon; with others that have to be durable it is so too.
  Status write_soon(const std::function<Status(soci::session&)>& work);

 private:
  enum class Durable { now, soon };
  struct Waiting {
    Waiting(const std::function<Status(soci::session&)>& own_work, Durable how) : work(&own_work), durable(how) {}
    const std::function<Status(soci::session&)>* work;
    Durable durable;
    Status result;
    enum class State { waits, done } state = State::waits;
    std::condition_variable changed;  // done, or the first in line
  };
  Status wait_for(Waiting& own);
  Status run_together(const std::vector<Waiting*>& group);
  void run(const std::vector<Waiting*>& group);

  static constexpr size_t kGroupMax = 256;

  StateDb& state_;
  std::mutex mutex_;
  std::deque<Waiting*> waiting_;
};

}  // namespace redoubt::store
