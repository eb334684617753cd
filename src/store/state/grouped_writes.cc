#include "store/state/grouped_writes.h"

#include <algorithm>

namespace redoubt::store {

Status GroupedWrites::write(const std::function<Status(soci::session&)>& work) {
  Waiting own(work, Durable::now);
  return wait_for(own);
}

Status GroupedWrites::write_soon(const std::function<Status(soci::session&)>& work) {
  Waiting own(work, Durable::soon);
  return wait_for(own);
}

// The first that waits leads: it writes for all who have come, and they stay in line until it is done. Nobody is woken
// for another's sake.
Status GroupedWrites::wait_for(Waiting& own) {
  std::unique_lock lock(mutex_);
  waiting_.push_back(&own);
  own.changed.wait(lock, [&] { return own.state == Waiting::State::done || waiting_.front() == &own; });
  if (own.state == Waiting::State::done) return own.result;
  const auto size = static_cast<std::ptrdiff_t>(std::min(waiting_.size(), kGroupMax));
  const std::vector<Waiting*> group(waiting_.begin(), waiting_.begin() + size);
  lock.unlock();
  run(group);
  lock.lock();
  waiting_.erase(waiting_.begin(), waiting_.begin() + size);
  for (Waiting* written : group) {
    written->state = Waiting::State::done;
    if (written != &own) written->changed.notify_one();
  }
  if (!waiting_.empty()) waiting_.front()->changed.notify_one();
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
