#include "sensor/outbox.h"

#include <utility>

namespace redoubt::sensor {

namespace {

bool is_pending(const Awaited& awaited) {
  return (awaited.image != nullptr && awaited.image->hash_state == HashState::pending) ||
         (awaited.container != nullptr && awaited.container->facts_state == FactsState::pending);
}

// Mounts and annotations are long: on what starts, and on what tells of the container itself.
ContainerDetail detail_of(const v1::Event& event) {
  const bool is_full = event.event_type() == v1::EVENT_TYPE_PROCESS || event.event_type() == v1::EVENT_TYPE_CONTAINER;
  return is_full ? ContainerDetail::full : ContainerDetail::brief;
}

}  // namespace

void Outbox::put(v1::Event event, Awaited awaited, int64_t now_ns) {
  waiting_.push_back({std::move(event), std::move(awaited), now_ns + wait_ns_});
}

void Outbox::flush(int64_t now_ns) {
  while (!waiting_.empty()) {
    Waiting& first = waiting_.front();
    const bool pending = is_pending(first.awaited);
    if (pending && now_ns < first.until_ns && waiting_.size() <= kWaitingMax) return;
    hand_over(std::move(first));
    waiting_.pop_front();
  }
}

void Outbox::finish() {
  while (!waiting_.empty()) {
    hand_over(std::move(waiting_.front()));
    waiting_.pop_front();
  }
}

void Outbox::hand_over(Waiting&& waiting) {
  const Awaited& awaited = waiting.awaited;
  if (awaited.image != nullptr) {
    if (awaited.image->hash_state == HashState::known) {
      waiting.event.set_process_hash_sha256(awaited.image->sha256);
    } else if (waiting.event.event_type() == v1::EVENT_TYPE_PROCESS) {
      ++hashes_missed_;
    }
  }
  if (awaited.container != nullptr) {
    describe_container(*awaited.container, detail_of(waiting.event), waiting.event);
    if (awaited.container->facts_state == FactsState::pending) ++containers_missed_;
  }
  ++events_;
  sink_.take(std::move(waiting.event));
}

}  // namespace redoubt::sensor
