#include "sensor/outbox.h"

#include <utility>

namespace redoubt::sensor {

void Outbox::put(v1::Event event, std::shared_ptr<Image> image, int64_t now_ns) {
  waiting_.push_back({std::move(event), std::move(image), now_ns + kHashWaitNs});
}

void Outbox::flush(int64_t now_ns) {
  while (!waiting_.empty()) {
    Waiting& first = waiting_.front();
    const bool pending = first.image != nullptr && first.image->hash_state == HashState::pending;
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
  if (waiting.image != nullptr) {
    if (waiting.image->hash_state == HashState::known) {
      waiting.event.set_process_hash_sha256(waiting.image->sha256);
    } else if (waiting.event.event_type() == v1::EVENT_TYPE_PROCESS) {
      ++hashes_missed_;
    }
  }
  ++events_;
  sink_.take(std::move(waiting.event));
}

}  // namespace redoubt::sensor
