#include "link/agent/intake.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "redoubt/event.pb.h"

namespace redoubt::link {

namespace {

// Past this many, declarations of one cause are merged: their range becomes the hull, their counts the sum.
constexpr size_t kPendingMax = 64;

v1::Event event_of(const Loss& loss, uint64_t sequence) {
  v1::Event event;
  event.set_event_type(v1::EVENT_TYPE_LOSS);
  event.set_event_action("lost");
  event.set_event_sequence(static_cast<int64_t>(sequence));
  event.set_event_time(base::Time::now().us);
  event.set_loss_cause(loss.cause);
  if (loss.count != 0) event.set_loss_count(static_cast<int64_t>(loss.count));
  if (loss.last_sequence != 0) {
    event.set_loss_first_sequence(static_cast<int64_t>(loss.first_sequence));
    event.set_loss_last_sequence(static_cast<int64_t>(loss.last_sequence));
  }
  if (!loss.kind.empty()) event.set_loss_kind(loss.kind);
  if (loss.cgroup_id != 0) event.set_process_cgroup_id(loss.cgroup_id);
  if (!loss.cgroup.empty()) event.set_loss_cgroup(loss.cgroup);
  if (loss.since.us != 0) event.set_loss_since(loss.since.us);
  if (loss.until.us != 0) event.set_loss_until(loss.until.us);
  return event;
}

Loss loss_of(const v1::Event& event) {
  return Loss{.cause = event.loss_cause(),
              .count = static_cast<uint64_t>(event.loss_count()),
              .first_sequence = static_cast<uint64_t>(event.loss_first_sequence()),
              .last_sequence = static_cast<uint64_t>(event.loss_last_sequence()),
              .kind = event.loss_kind(),
              .cgroup_id = event.process_cgroup_id(),
              .cgroup = event.loss_cgroup(),
              .since = {event.loss_since()},
              .until = {event.loss_until()}};
}

void merge_into(Loss& into, const Loss& more) {
  into.count += more.count;
  if (into.last_sequence == 0 || more.last_sequence == 0) {
    into.first_sequence = into.last_sequence = 0;
  } else {
    into.first_sequence = std::min(into.first_sequence, more.first_sequence);
    into.last_sequence = std::max(into.last_sequence, more.last_sequence);
  }
  if (into.kind != more.kind) into.kind.clear();
  if (into.cgroup_id != more.cgroup_id) {
    into.cgroup_id = 0;
    into.cgroup.clear();
  }
  if (more.since.us != 0) into.since = into.since.us == 0 ? more.since : std::min(into.since, more.since);
  into.until = std::max(into.until, more.until);
}

bool is_before(const Intake::Declared& declared, const v1::Event& event) {
  return declared.sequence < static_cast<uint64_t>(event.event_sequence());
}

}  // namespace

struct Intake::Held {
  v1::Event event;
  size_t bytes = 0;
};

Intake::Intake(Account& account, Limits limits) : account_(account), limits_(limits) {}

Intake::~Intake() = default;

void Intake::take(v1::Event&& event) {
  const size_t size = sizeof(v1::Event) + event.ByteSizeLong();
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  const bool full = overflow_.count != 0 || held_.size() >= limits_.events || bytes_ + size > limits_.bytes;
  if (full && event.event_type() == v1::EVENT_TYPE_LOSS) {
    // What tells of a loss must not be lost itself: it goes where nothing is dropped.
    add_pending({.loss = loss_of(event)});
  } else if (full) {
    // Once it has begun to drop it drops until it is half empty, so that what is missing is one range.
    const uint64_t sequence = account_.give_number();
    const auto now = base::Time::now();
    if (overflow_.count == 0) overflow_ = {.cause = std::string(kQueueFull), .first_sequence = sequence, .since = now};
    overflow_.last_sequence = sequence;
    overflow_.until = now;
    ++overflow_.count;
  } else {
    if (event.event_type() == v1::EVENT_TYPE_LOSS) account_.add_lost(static_cast<uint64_t>(event.loss_count()));
    event.set_event_sequence(static_cast<int64_t>(account_.give_number()));
    held_.push_back({std::move(event), size});
    bytes_ += size;
    // Between a first event and a full frame the spooler sleeps; waking it for each would cost the sensor a call.
    if (held_.size() == 1 || held_.size() == cut_events_) changed_.notify_one();
  }
}

size_t Intake::room() const {
  const std::lock_guard lock(mutex_);
  return overflow_.count != 0 || !is_half_empty() ? 0 : limits_.events / 2 - held_.size();
}

bool Intake::is_half_empty() const { return held_.size() <= limits_.events / 2 && bytes_ <= limits_.bytes / 2; }

void Intake::declare(Loss loss, Done spooled) {
  Declared declared{.loss = std::move(loss)};
  if (spooled) declared.spooled.push_back(std::move(spooled));
  const std::lock_guard lock(mutex_);
  add_pending(std::move(declared));
}

bool Intake::has_declared() const {
  const std::lock_guard lock(mutex_);
  return !pending_.empty() || !numbered_.empty();
}

void Intake::carry_on(const v1::Event& loss) {
  Declared declared{.loss = loss_of(loss)};
  // What is spooled is counted as lost; this was counted when it was spooled first (unsigned, so the sum comes back).
  declared.spooled.push_back([this, count = declared.loss.count] { account_.add_lost(uint64_t{0} - count); });
  const std::lock_guard lock(mutex_);
  add_pending(std::move(declared));
}

void Intake::declare_again(std::vector<Declared> declared) {
  const std::lock_guard lock(mutex_);
  for (Declared& one : declared) add_pending(std::move(one));
}

void Intake::add_pending(Declared declared) {
  if (pending_.size() >= kPendingMax) {
    const auto same = std::find_if(pending_.begin(), pending_.end(),
                                   [&](const Declared& other) { return other.loss.cause == declared.loss.cause; });
    if (same != pending_.end()) {
      merge_into(same->loss, declared.loss);
      std::move(declared.spooled.begin(), declared.spooled.end(), std::back_inserter(same->spooled));
      return;
    }
  }
  pending_.push_back(std::move(declared));
  changed_.notify_one();
}

Intake::Drained Intake::drain(std::chrono::milliseconds cut_after, size_t cut_events) {
  std::unique_lock lock(mutex_);
  cut_events_ = cut_events;
  changed_.wait(lock, [this] { return closed_ || !held_.empty() || !pending_.empty() || overflow_.count != 0; });
  changed_.wait_for(lock, cut_after, [&] { return closed_ || held_.size() >= cut_events; });
  number_pending();
  Drained drained;
  while (!held_.empty() && drained.events.size() < cut_events) {
    bytes_ -= held_.front().bytes;
    drained.events.push_back(std::move(held_.front().event));
    held_.pop_front();
  }
  while (!numbered_.empty() && (held_.empty() || is_before(numbered_.front(), held_.front().event))) {
    drained.declared.push_back(std::move(numbered_.front()));
    numbered_.pop_front();
  }
  return drained;
}

void Intake::number_pending() {
  if (overflow_.count != 0) {
    if (!closed_ && !is_half_empty()) return;  // numbers given now would be among those that are dropped
    pending_.push_back({.loss = std::exchange(overflow_, {})});
  }
  for (Declared& declared : pending_) {
    declared.sequence = account_.give_number();
    held_.push_back({.event = event_of(declared.loss, declared.sequence), .bytes = 0});
    numbered_.push_back(std::move(declared));
  }
  pending_.clear();
}

void Intake::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

}  // namespace redoubt::link
