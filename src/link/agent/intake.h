// The bounded queue between whoever makes events (the sensor's ring thread, the agent itself) and the spooler. It gives
// every event its number and turns what it cannot keep into a declared loss. take() and declare() are for any thread
// and wait for nothing but a short lock; drain() is for the spooler's thread alone.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "link/agent/account.h"

namespace redoubt::v1 {
class Event;
}

namespace redoubt::link {

// The values of loss.cause that the agent's own stages give; the sensor adds its rings'.
constexpr std::string_view kQueueFull = "queue_full";           // the spooler did not keep up
constexpr std::string_view kSpoolFull = "spool_full";           // the spool's limit, or its disk, is reached
constexpr std::string_view kSpoolDamaged = "spool_damaged";     // the disk gave back something else than was written
constexpr std::string_view kAgentKilled = "agent_killed";       // numbered, but not spooled when the agent ended
constexpr std::string_view kSensorDown = "sensor_down";         // nobody watched
constexpr std::string_view kNodeRejected = "rejected_by_node";  // set aside in DIR/rejected

struct Loss {
  std::string cause;
  uint64_t count = 0;  // 0: cannot be known
  uint64_t first_sequence = 0;
  uint64_t last_sequence = 0;  // 0: the events had no numbers, or those of an earlier boot
  std::string kind;            // event.type of all of them; empty: of several, or not known
  int64_t cgroup_id = 0;       // of all of them; 0: of several, or not known
  std::string cgroup;          // its path
  base::Time since;
  base::Time until;
};

class Intake {
 public:
  struct Limits {
    size_t events = 8192;  // of some 2.5 KB each
    size_t bytes = size_t{24} << 20;
  };
  using Done = std::function<void()>;

  Intake(Account& account, Limits limits);
  ~Intake();

  // Numbers the event and keeps it, or counts it as lost.
  void take(v1::Event&& event);
  // How many more events the producer had better make now: half of the queue is for what is under way already.
  size_t room() const;
  // Sends a loss event; its count goes to the account's lost. `spooled` (may be empty) is called on the spooler's
  // thread once that event is in the spool. After close() nothing comes of it: the account's hole is what the next
  // start sees.
  void declare(Loss loss, Done spooled);

  // One event of type loss among the drained ones, and who wants to know that it is spooled.
  struct Declared {
    uint64_t sequence = 0;
    Loss loss;
    std::vector<Done> spooled;
  };
  struct Drained {
    std::vector<v1::Event> events;   // numbers rise
    std::vector<Declared> declared;  // of these events
  };
  // Waits for a first event, then until `cut_events` are there or `cut_after` has passed, and gives at most so many.
  // Empty: closed and drained.
  Drained drain(std::chrono::milliseconds cut_after, size_t cut_events);
  // Whether something is declared that drain() has not given yet.
  bool has_declared() const;
  // A declaration that is about to be given up with its frame: it goes into the spool once more, counted once.
  void carry_on(const v1::Event& loss);
  // Declarations whose event could not be spooled come again with a new number.
  void declare_again(std::vector<Declared> declared);
  // No more events are taken; drain() gives what is left.
  void close();

 private:
  void add_pending(Declared declared);
  void number_pending();
  bool is_half_empty() const;

  struct Held;  // an event and its size

  Account& account_;
  const Limits limits_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Held> held_;
  size_t bytes_ = 0;  // of all that is held
  size_t cut_events_ = 0;
  Loss overflow_;                  // count 0: none
  std::vector<Declared> pending_;  // numbered at the next drain, behind everything that was numbered before
  std::deque<Declared> numbered_;  // their events are among those held
  bool closed_ = false;
};

}  // namespace redoubt::link
