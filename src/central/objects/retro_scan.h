// The walk over what older engines judged: finds it in the state database, newest first, and hands it to the object
// queue at the lowest priority, a few at a time. Begins anew at start and whenever rules or signatures change. Owned
// by the object service; start() and stop() from one thread, the rest from any.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "central/objects/object_queue.h"
#include "scan/scan_pool.h"
#include "store/state/state_db.h"

namespace redoubt::central {

class RetroScan {
 public:
  // The parts outlive it.
  RetroScan(store::StateDb& state, scan::ScanPool& scanner, ObjectQueue& queue)
      : state_(state), scanner_(scanner), queue_(queue) {}
  ~RetroScan() { stop(); }

  void start();
  void begin_anew();
  void stop();

 private:
  void run();
  Result<long long> walk(const std::string& engines, long long before);

  store::StateDb& state_;
  scan::ScanPool& scanner_;
  ObjectQueue& queue_;
  std::mutex mutex_;
  std::condition_variable changed_;
  enum class Wish { none, begin, stop } wish_ = Wish::begin;
  std::thread thread_;
};

}  // namespace redoubt::central
