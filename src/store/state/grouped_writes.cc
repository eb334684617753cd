#include "store/state/grouped_writes.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/log.h"

namespace redoubt::store {

GroupedWrites::GroupedWrites(StateDb& state) : state_(state), flusher_([this] { flush_now_and_then(); }) {}

Status GroupedWrites::write(const Work& work) {
  Waiting own{.item = {&work, Durable::now}};
  wait_in_line(own, {});
  return own.item.result;
}

Status GroupedWrites::write(const Work& work, Coming& coming) {
  Waiting own{.item = {&work, Durable::now}};
  coming.arrive();
  wait_in_line(own, Clock::now() + kShareWait);
  return own.item.result;
}

void GroupedWrites::write_later(Work work, Written written) {
  const std::lock_guard lock(mutex_);
  later_.push_back({std::move(work), std::move(written)});
  wake_flusher();
}

Status GroupedWrites::read(const Work& work) {
  flush();
  return state_.read(work);
}

void GroupedWrites::flush() {
  {
    const std::lock_guard lock(mutex_);
    if (later_.empty() && waiting_.empty()) return;
  }
  Waiting own{.item = {nullptr, Durable::soon}};
  wait_in_line(own, {});
}

void GroupedWrites::stop() {
  {
    const std::lock_guard lock(mutex_);
    flusher_state_ = Flusher::stops;
    later_not_before_ = {};
  }
  later_came_.notify_one();
  if (flusher_.joinable()) flusher_.join();
  flush();
}

// Wakes while there is something to do, not for each that comes.
void GroupedWrites::flush_now_and_then() {
  std::unique_lock lock(mutex_);
  while (flusher_state_ != Flusher::stops) {
    if (later_.empty()) {
      flusher_state_ = Flusher::rests;
      later_came_.wait(lock, [this] { return flusher_state_ == Flusher::stops || !later_.empty(); });
    }
    if (flusher_state_ == Flusher::rests) flusher_state_ = Flusher::looks;
    later_came_.wait_for(lock, kLaterPause, [this] { return flusher_state_ == Flusher::stops; });
    lock.unlock();
    flush();
    lock.lock();
  }
}

// One leads at a time: the last who comes finds nobody coming, and does so at once.
void GroupedWrites::wait_in_line(Waiting& own, Clock::time_point share_until) {
  std::unique_lock lock(mutex_);
  waiting_.push_back(&own);
  while (own.state != Waiting::State::done) {
    if (leader_ == Leader::writes) {
      own.changed.wait(lock);
    } else if (arrivals_.any_coming() && Clock::now() < share_until) {
      own.changed.wait_until(lock, share_until);
    } else {
      lead(lock);
    }
  }
}

// Writes for all who have come; they stay in line until it is done.
void GroupedWrites::lead(std::unique_lock<std::mutex>& lock) {
  leader_ = Leader::writes;
  const auto size = static_cast<std::ptrdiff_t>(std::min(waiting_.size(), kGroupMax));
  const std::vector<Waiting*> group(waiting_.begin(), waiting_.begin() + size);
  std::deque<Later> later = take_later();
  lock.unlock();

  std::deque<Item> of_later;
  std::vector<Item*> items;
  for (const Later& one : later) items.push_back(&of_later.emplace_back(Item{&one.work, Durable::soon, &one.written}));
  for (Waiting* one : group) {
    if (one->item.work != nullptr) items.push_back(&one->item);
  }
  run(items);
  std::deque<Later> failed;
  for (size_t i = 0; i < later.size(); ++i) {
    if (!of_later[i].result) failed.push_back(std::move(later[i]));
  }

  lock.lock();
  put_back(std::move(failed));
  leader_ = Leader::none;
  waiting_.erase(waiting_.begin(), waiting_.begin() + size);
  for (Waiting* written : group) {
    written->state = Waiting::State::done;
    written->changed.notify_one();
  }
  if (!waiting_.empty()) waiting_.front()->changed.notify_one();
}

std::deque<GroupedWrites::Later> GroupedWrites::take_later() {
  if (later_.empty() || Clock::now() < later_not_before_) return {};
  return std::exchange(later_, {});
}

void GroupedWrites::put_back(std::deque<Later> failed) {
  if (failed.empty()) return;
  later_.insert(later_.begin(), std::make_move_iterator(failed.begin()), std::make_move_iterator(failed.end()));
  later_not_before_ = Clock::now() + kRetryPause;
  wake_flusher();
}

// Whoever puts something into later_ calls it: taken out for a moment, it looked empty.
void GroupedWrites::wake_flusher() {
  if (flusher_state_ == Flusher::rests) later_came_.notify_one();
}

Status GroupedWrites::run_together(const std::vector<Item*>& group) {
  const auto all = [&](soci::session& session) -> Status {
    for (const Item* one : group) TRY_STATUS((*one->work)(session));
    return {};
  };
  const bool can_wait =
      std::all_of(group.begin(), group.end(), [](const Item* one) { return one->durable == Durable::soon; });
  return can_wait ? state_.write_soon(all) : state_.write(all);
}

void GroupedWrites::run(const std::vector<Item*>& group) {
  const auto tell = [](Item& one, Status result) {
    one.result = std::move(result);
    if (one.written == nullptr) return;
    if (*one.written) (*one.written)(one.result);
    if (!one.result) base::log_error("state", "to be written again: " + one.result.error().message);
  };
  if (group.empty()) return;
  const Status together = run_together(group);
  for (Item* one : group) {
    if (together || group.size() == 1) {
      tell(*one, together);
    } else {
      tell(*one, one->durable == Durable::soon ? state_.write_soon(*one->work) : state_.write(*one->work));
    }
  }
}

}  // namespace redoubt::store
