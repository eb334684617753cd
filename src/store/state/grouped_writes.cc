#include "store/state/grouped_writes.h"

#include <algorithm>

namespace redoubt::store {

Status GroupedWrites::write(const std::function<Status(soci::session&)>& work) {
  Waiting own{.work = &work, .durable = Durable::now};
  return wait_for(own);
}

Status GroupedWrites::write_soon(const std::function<Status(soci::session&)>& work) {
  Waiting own{.work = &work, .durable = Durable::soon};
  return wait_for(own);
}

// Whoever finds no leader leads: it takes all that wait, its own write among them unless more came before than a group
// holds, and leads on until its own is done.
Status GroupedWrites::wait_for(Waiting& own) {
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

Status GroupedWrites::run_together(const std::vector<Waiting*>& group) {
  const auto all = [&](soci::session& session) -> Status {
    for (const Waiting* one : group) TRY_STATUS((*one->work)(session));
    return {};
  };
  const bool can_wait =
      std::all_of(group.begin(), group.end(), [](const Waiting* one) { return one->durable == Durable::soon; });
  return can_wait ? state_.write_soon(all) : state_.write(all);
}

void GroupedWrites::run(const std::vector<Waiting*>& group) {
  const Status together = run_together(group);
  if (together) return;
  if (group.size() == 1) {
    group.front()->result = together;
    return;
  }
  for (Waiting* one : group) one->result = state_.write(*one->work);
}

}  // namespace redoubt::store
