#include "central/objects/object_queue.h"

#include <chrono>

namespace redoubt::central {

namespace {

constexpr std::chrono::milliseconds kRetryPause{1000};

}  // namespace

Status ObjectQueue::hold(const std::string& source) {
  const std::lock_guard lock(mutex_);
  if (life_ == Life::stops) return fail(Errc::unavailable, "the object service stops");
  if (held_ >= limits_.objects_max) {
    return fail(Errc::exhausted,
                "the object queue is full (" + std::to_string(limits_.objects_max) + "): try again later");
  }
  const auto found = held_by_.find(source);
  if (found != held_by_.end() && found->second >= limits_.of_one_source_max) {
    return fail(Errc::exhausted, std::to_string(found->second) + " objects of this source wait: try again later");
  }
  ++held_by_[source];
  ++held_;
  return {};
}

void ObjectQueue::release(const std::string& source) {
  const std::lock_guard lock(mutex_);
  const auto found = held_by_.find(source);
  if (found == held_by_.end()) return;
  if (--found->second == 0) held_by_.erase(found);
  --held_;
}

// Who is woken finds the mutex free.
void ObjectQueue::push(const std::string& source, WaitingObject object) {
  {
    const std::lock_guard lock(mutex_);
    source_of_.emplace(object.row, source);
    enter(object);
  }
  changed_.notify_one();
}

void ObjectQueue::push_again(WaitingObject object) {
  {
    const std::lock_guard lock(mutex_);
    ++held_by_[""];
    ++held_;
    source_of_.emplace(object.row, "");
    enter(object);
  }
  changed_.notify_one();
}

void ObjectQueue::push_rescan(const ContentKey& content) {
  const std::lock_guard lock(mutex_);
  const auto [entry, is_new] = jobs_.try_emplace(content.text());
  if (!is_new) return;
  entry->second.job = {content, Priority::rescan, {}};
  ++rescans_;
  order_[static_cast<size_t>(Priority::rescan)].push_back(entry->first);
  changed_.notify_one();
}

void ObjectQueue::enter(const WaitingObject& object) {
  const auto [entry, is_new] = jobs_.try_emplace(object.content.text());
  Job& job = entry->second;
  if (job.state == Job::State::taken) {
    job.later.push_back(object.row);
    return;
  }
  const bool moves_up = !is_new && object.priority < job.job.priority;
  if (moves_up && job.job.priority == Priority::rescan) --rescans_;
  if (is_new) job.job = {object.content, object.priority, {}};
  if (moves_up) job.job.priority = object.priority;
  job.job.rows.push_back(object.row);
  if (is_new || moves_up) order_[static_cast<size_t>(object.priority)].push_back(entry->first);
}

std::optional<ObjectJob> ObjectQueue::take() {
  std::unique_lock lock(mutex_);
  while (life_ == Life::runs) {
    for (auto& order : order_) {
      while (!order.empty()) {
        const auto found = jobs_.find(order.front());
        order.pop_front();
        // A job that moved up stands in two orders: the first that comes to it takes it.
        if (found == jobs_.end() || found->second.state == Job::State::taken) continue;
        found->second.state = Job::State::taken;
        return found->second.job;
      }
    }
    changed_.wait(lock);
  }
  return std::nullopt;
}

void ObjectQueue::leave(const std::vector<long long>& rows) {
  for (const long long row : rows) {
    const auto found = source_of_.find(row);
    if (found == source_of_.end()) continue;
    const auto holder = held_by_.find(found->second);
    if (--holder->second == 0) held_by_.erase(holder);
    --held_;
    source_of_.erase(found);
    const auto [first, end] = awaited_.equal_range(row);
    for (auto waiter = first; waiter != end; ++waiter) waiter->second->notify_one();
  }
}

std::vector<long long> ObjectQueue::finish(const ObjectJob& job) {
  const std::lock_guard lock(mutex_);
  const auto found = jobs_.find(job.content.text());
  leave(job.rows);
  std::vector<long long> later;
  later.swap(found->second.later);
  if (!later.empty()) return later;
  if (found->second.job.priority == Priority::rescan) --rescans_;
  jobs_.erase(found);
  return {};
}

void ObjectQueue::retry(const ObjectJob& job) {
  std::unique_lock lock(mutex_);
  stopped_.wait_for(lock, kRetryPause, [this] { return life_ == Life::stops; });
  Job& kept = jobs_.at(job.content.text());
  kept.job.rows = job.rows;
  kept.job.rows.insert(kept.job.rows.end(), kept.later.begin(), kept.later.end());
  kept.later.clear();
  kept.state = Job::State::waits;
  order_[static_cast<size_t>(job.priority)].push_back(job.content.text());
  changed_.notify_one();
}

void ObjectQueue::wait_until_judged(long long row, int64_t wait_ms) {
  std::unique_lock lock(mutex_);
  std::condition_variable judged;
  const auto awaited = awaited_.emplace(row, &judged);
  judged.wait_for(lock, std::chrono::milliseconds(wait_ms),
                  [&] { return life_ == Life::stops || !source_of_.contains(row); });
  awaited_.erase(awaited);
}

size_t ObjectQueue::size() const {
  const std::lock_guard lock(mutex_);
  return source_of_.size();
}

size_t ObjectQueue::rescans() const {
  const std::lock_guard lock(mutex_);
  return rescans_;
}

bool ObjectQueue::stopped() const {
  const std::lock_guard lock(mutex_);
  return life_ == Life::stops;
}

void ObjectQueue::stop() {
  const std::lock_guard lock(mutex_);
  life_ = Life::stops;
  changed_.notify_all();
  stopped_.notify_all();
  for (const auto& [row, waiter] : awaited_) waiter->notify_one();
}

}  // namespace redoubt::central
