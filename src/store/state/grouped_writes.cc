#include "store/state/grouped_writes.h"

#include <algorithm>

namespace redoubt::store {

// Whoever finds no leader leads: it takes all that wait, its own write among them unless more came before than a group
// holds, and leads on until its own is done.
Status GroupedWrites::write(const std::function<Status(soci::session&)>& work) {
  Waiting own{.work = &work};
  std::unique_lock lock(mutex_);
  waiting_.push_back(&own);
  while (own.state == Waiting::State::waits) {
    if (leader_ == Leader::writes) {
      changed_.wait(lock);
      continue;
    }
    leader_ = Leader::writes;
    const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(std::min(waiting_.size(), kGroupMax));
    const std::vector<Waiting*> group(waiting_.begin(), end);
    waiting_.erase(waiting_.begin(), end);
    lock.unlock();
    run(group);
    lock.lock();
    for (Waiting* written : group) written->state = Waiting::State::done;
    leader_ = Leader::none;
    changed_.notify_all();
  }
  return own.result;
}

void GroupedWrites::run(const std::vector<Waiting*>& group) {
  const Status together = state_.write([&](soci::session& session) -> Status {
    for (const Waiting* one : group) TRY_STATUS((*one->work)(session));
    return {};
  });
  if (together) return;
  if (group.size() == 1) {
    group.front()->result = together;
    return;
  }
  for (Waiting* one : group) one->result = state_.write(*one->work);
}

}  // namespace redoubt::store
