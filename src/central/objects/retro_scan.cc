#include "central/objects/retro_scan.h"

#include <chrono>
#include <limits>

#include "base/log.h"

namespace redoubt::central {

namespace {

constexpr size_t kRescansWaitingMax = 64;
constexpr std::chrono::milliseconds kLookPause{200};
// Signatures change without anybody telling the node.
constexpr std::chrono::seconds kEnginesPause{10};

}  // namespace

void RetroScan::start() {
  thread_ = std::thread([this] { run(); });
}

void RetroScan::begin_anew() {
  const std::lock_guard lock(mutex_);
  if (wish_ != Wish::stop) wish_ = Wish::begin;
  changed_.notify_all();
}

void RetroScan::stop() {
  {
    const std::lock_guard lock(mutex_);
    wish_ = Wish::stop;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void RetroScan::run() {
  std::unique_lock lock(mutex_);
  Judges judged_by;
  while (wish_ != Wish::stop) {
    const bool wished = changed_.wait_for(lock, kEnginesPause, [this] { return wish_ != Wish::none; });
    if (wish_ == Wish::stop) return;
    const Judges now = judge_.judges();
    if (!wished && now == judged_by) continue;
    judged_by = now;
    wish_ = Wish::none;
    long long before = std::numeric_limits<long long>::max();
    while (wish_ == Wish::none && before > 0) {
      lock.unlock();
      const Judges judges = judge_.judges();
      const auto next = judges.engines.empty() ? Result<long long>(0) : walk(judges, before);
      if (!next) base::log_error("objects", "retro-scan: " + next.error().message);
      lock.lock();
      before = next.value_or(0);
      if (before > 0) changed_.wait_for(lock, kLookPause, [this] { return wish_ != Wish::none; });
    }
  }
}

// Hands over as many as there is room for; where the walk goes on, 0 at the end.
Result<long long> RetroScan::walk(const Judges& judges, long long before) {
  const size_t waiting = queue_.rescans();
  if (waiting >= kRescansWaitingMax) return before;
  const size_t room = kRescansWaitingMax - waiting;
  TRY(const std::vector<KnownVerdict> outdated, judge_.outdated(judges, before, room));
  for (const KnownVerdict& known : outdated) queue_.push_rescan(known.content);
  return outdated.size() < room ? 0 : outdated.back().id;
}

}  // namespace redoubt::central
