// Events on their way to the sink, in order. One whose program is still being hashed, or whose container is still being
// asked for, waits for it a bounded time, and those behind it wait with it; the rings are read on. Ring thread only.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>

#include "redoubt/event.pb.h"
#include "sensor/process_table.h"
#include "sensor/sensor.h"

namespace redoubt::sensor {

// What an event waits for; both may be null.
struct Awaited {
  std::shared_ptr<const Image> image = nullptr;          // whose hash becomes process.hash.sha256
  std::shared_ptr<const Container> container = nullptr;  // whose facts become container.* and orchestrator.*
};

class Outbox {
 public:
  Outbox(EventSink& sink, int64_t wait_ms) : sink_(sink), wait_ns_(wait_ms * 1'000'000) {}

  void put(v1::Event event, Awaited awaited, int64_t now_ns);
  // Hands over what need not wait any longer.
  void flush(int64_t now_ns);
  // Hands over everything.
  void finish();

  size_t size() const { return waiting_.size(); }
  uint64_t events() const { return events_; }
  uint64_t hashes_missed() const { return hashes_missed_; }
  uint64_t containers_missed() const { return containers_missed_; }

  static constexpr size_t kWaitingMax = 8192;

 private:
  struct Waiting {
    v1::Event event;
    Awaited awaited;
    int64_t until_ns;
  };
  void hand_over(Waiting&& waiting);

  EventSink& sink_;
  int64_t wait_ns_;
  std::deque<Waiting> waiting_;
  uint64_t events_ = 0;
  uint64_t hashes_missed_ = 0;
  uint64_t containers_missed_ = 0;
};

}  // namespace redoubt::sensor
