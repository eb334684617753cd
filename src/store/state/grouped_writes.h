// Joins the writes of many threads into one transaction, so that a commit's wait for the disk is paid once for all who
// came meanwhile. A write that fails costs no other: those of its transaction are then run one by one. Any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "store/coming.h"
#include "store/state/state_db.h"

namespace redoubt::store {

class GroupedWrites {
 public:
  using Work = std::function<Status(soci::session&)>;
  using Written = std::function<void(const Status&)>;

  // The database outlives it.
  explicit GroupedWrites(StateDb& state);
  ~GroupedWrites() { stop(); }
  GroupedWrites(const GroupedWrites&) = delete;
  GroupedWrites& operator=(const GroupedWrites&) = delete;

  // As StateDb::write: durable on return. `work` may run twice, the first time rolled back, so it only sets what it
  // would set again.
  Status write(const Work& work);
  // The same; who comes within kShareWait may share the transaction.
  Status write(const Work& work, Coming& own);
  // Callers on their way to write().
  Arrivals& arrivals() { return arrivals_; }
  // For what can be made again: returns at once. It goes with the next write, ahead of that, or by itself within some
  // milliseconds; those of this kind in order. `written` hears how it went, before such a write returns. After an error
  // it is tried again until the stop.
  void write_later(Work work, Written written = {});
  // As StateDb::read, of a database that has what write_later() was given before, unless that failed.
  Status read(const Work& work);
  // What write_later() was given before is in the database on return, or has failed.
  void flush();
  // Flushes; nobody writes afterwards.
  void stop();

 private:
  enum class Durable { now, soon };
  struct Item {
    const Work* work;  // null: nothing of its own
    Durable durable;
    const Written* written = nullptr;
    Status result;
  };
  struct Waiting {
    Item item;
    enum class State { waits, done } state = State::waits;
    std::condition_variable changed;  // done, or to see whether it leads
  };
  struct Later {
    Work work;
    Written written;
  };

  using Clock = std::chrono::steady_clock;
  void wait_in_line(Waiting& own, Clock::time_point share_until);
  void lead(std::unique_lock<std::mutex>& lock);
  std::deque<Later> take_later();
  void put_back(std::deque<Later> failed);
  void wake_flusher();
  Status run_together(const std::vector<Item*>& group);
  void run(const std::vector<Item*>& group);
  void flush_now_and_then();

  static constexpr size_t kGroupMax = 256;
  static constexpr std::chrono::milliseconds kLaterPause{20};
  static constexpr std::chrono::seconds kRetryPause{1};

  StateDb& state_;
  Arrivals arrivals_;
  std::mutex mutex_;
  std::deque<Waiting*> waiting_;
  enum class Leader { none, writes } leader_ = Leader::none;
  std::deque<Later> later_;
  Clock::time_point later_not_before_;
  std::condition_variable later_came_;  // while the flusher rests
  enum class Flusher { rests, looks, stops } flusher_state_ = Flusher::rests;
  std::thread flusher_;
};

}  // namespace redoubt::store
