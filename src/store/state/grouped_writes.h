// Joins the writes of many threads into one transaction, so that a commit's wait for the disk is paid once for all who
// came meanwhile. A write that fails costs no other: those of its transaction are then run one by one. Any thread.
#pragma once

#include <condition_variable>
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
    const std::function<Status(soci::session&)>* work = nullptr;
    Durable durable = Durable::now;
    Status result;
    enum class State { waits, done } state = State::waits;
  };
  Status wait_for(Waiting& own);
  Status run_together(const std::vector<Waiting*>& group);
  void run(const std::vector<Waiting*>& group);

  static constexpr size_t kGroupMax = 256;

  StateDb& state_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Waiting*> waiting_;
  enum class Leader { none, writes } leader_ = Leader::none;
};

}  // namespace redoubt::store
