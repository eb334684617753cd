// Where a gateway hands in an object and waits for its verdict: submits it, asks for the states of all that wait in one
// call, has the node forget what is known. While there is no node, or it has not approved this system, or is busy, it
// tries on and says so once. judge() blocks, from any number of threads.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "gateway/scanner.h"
#include "gateway/stop_flag.h"

namespace redoubt::gateway {

struct ScanDeskOptions {
  // Begins the id of every scan: results with it that nobody waits for are of a run before, and forgotten.
  std::string id_prefix;
  int64_t poll_ms_first = 50;  // after a submission; longer and longer from then on
  int64_t poll_ms_max = 1000;
  int64_t verdict_ms_max = 600'000;  // an object that has none by then is a timeout
  int64_t retry_ms_first = 250;
  int64_t retry_ms_max = 10'000;
};

struct Judgement {
  enum class Kind : uint8_t { not_detected, detect, error, timeout, too_large, changed, stopped };
  Kind kind = Kind::error;
  std::string reason;  // of error, too_large and changed
  std::string sha256;  // of the bytes that were judged; empty where none were
};
std::string_view name_of(Judgement::Kind kind);

class ScanDesk {
 public:
  ScanDesk(Scanner& scanner, const StopFlag& stop, ScanDeskOptions options);
  ~ScanDesk();
  ScanDesk(const ScanDesk&) = delete;
  ScanDesk& operator=(const ScanDesk&) = delete;

  void start();
  // Once the flag is set and all who wait have returned.
  void join();

  Judgement judge(int fd, uint64_t size_bytes);
  // As the node last said; 0 where it said nothing (yet).
  uint64_t object_bytes_max();

 private:
  enum class Condition : uint8_t { unknown, good, not_approved, busy, away };
  struct Waiting {
    ScanState state = ScanState::processing;
    int polls_without = 0;  // answers in which the node did not know of it
    uint64_t since_poll = 0;
  };
  struct Heard {
    Judgement judgement;
    enum class Next : uint8_t { done, submit_again } next = Next::done;
  };

  Heard submit_and_wait(int fd, uint64_t size_bytes, BackOff& back_off);
  Heard wait_for(const std::string& scan_id);
  bool pause(BackOff& back_off, int64_t at_least_ms);
  // Whether the node takes objects, asked with a small call where that is not known.
  Condition probe();
  void note(Condition condition, const std::string& reason);
  void poll();
  void poll_once();
  void take_states(const std::vector<ScanResult>& results, uint64_t poll_number);

  Scanner& scanner_;
  const StopFlag& stop_;
  const ScanDeskOptions options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Waiting> waiting_;
  uint64_t polls_ = 0;
  int64_t poll_ms_ = 0;
  Condition condition_ = Condition::unknown;
  uint64_t object_bytes_max_ = 0;
  std::thread poller_;
};

}  // namespace redoubt::gateway
