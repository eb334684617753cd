// The walk over what older engines judged: finds it in the state database, newest first, and hands it to the object
// queue at the lowest priority, a few at a time. Begins anew at start and whenever rules, signatures or lists change.
// Owned by the object service; start() and stop() from one thread, the rest from any.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "central/objects/object_judge.h"
#include "central/objects/object_queue.h"

namespace redoubt::central {

class RetroScan {
 public:
  // The parts outlive it.
  RetroScan(ObjectJudge& judge, ObjectQueue& queue) : judge_(judge), queue_(queue) {}
  ~RetroScan() { stop(); }

  void start();
  void begin_anew();
  void stop();

 private:
  void run();
  Result<long long> walk(const Judges& judges, long long before);

  ObjectJudge& judge_;
  ObjectQueue& queue_;
  std::mutex mutex_;
  std::condition_variable changed_;
  enum class Wish { none, begin, stop } wish_ = Wish::begin;
  std::thread thread_;
};

}  // namespace redoubt::central
