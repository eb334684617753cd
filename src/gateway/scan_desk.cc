#include "gateway/scan_desk.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <vector>

#include "base/hash.h"
#include "base/log.h"

namespace redoubt::gateway {

namespace {

constexpr const char* kDeskComponent = "scanner";
constexpr size_t kScanIdRandomBytes = 12;
constexpr int kPollsWithoutMax = 3;  // then the node has lost it
constexpr size_t kForgottenAPoll = 64;
constexpr int64_t kPollGrowthPercent = 150;
constexpr int64_t kTickMs = 100;
constexpr int kPercent = 100;

Judgement::Kind kind_of(ScanState state) {
  switch (state) {
    case ScanState::not_detected: return Judgement::Kind::not_detected;
    case ScanState::detect: return Judgement::Kind::detect;
    case ScanState::timeout: return Judgement::Kind::timeout;
    case ScanState::processing:
    case ScanState::error: return Judgement::Kind::error;
  }
  return Judgement::Kind::error;
}

}  // namespace

std::string_view name_of(Judgement::Kind kind) {
  switch (kind) {
    case Judgement::Kind::not_detected: return "not detected";
    case Judgement::Kind::detect: return "detect";
    case Judgement::Kind::error: return "error";
    case Judgement::Kind::timeout: return "timeout";
    case Judgement::Kind::too_large: return "too large";
    case Judgement::Kind::changed: return "changed";
    case Judgement::Kind::stopped: return "stopped";
  }
  return "";
}

ScanDesk::ScanDesk(Scanner& scanner, const StopFlag& stop, ScanDeskOptions options)
    : scanner_(scanner), stop_(stop), options_(std::move(options)), poll_ms_(options_.poll_ms_first) {}

ScanDesk::~ScanDesk() { CHECK(!poller_.joinable()); }

void ScanDesk::start() {
  poller_ = std::thread([this] { poll(); });
}

void ScanDesk::join() {
  if (poller_.joinable()) poller_.join();
}

uint64_t ScanDesk::object_bytes_max() {
  const std::lock_guard lock(mutex_);
  return object_bytes_max_;
}

Judgement ScanDesk::judge(int fd, uint64_t size_bytes) {
  BackOff back_off(options_.retry_ms_first, options_.retry_ms_max);
  while (!stop_.is_stopped()) {
    if (probe() != Condition::good) {
      if (pause(back_off, 0)) break;
      continue;
    }
    const uint64_t bytes_max = object_bytes_max();
    if (bytes_max != 0 && size_bytes > bytes_max) {
      return {.kind = Judgement::Kind::too_large, .reason = "the node takes " + std::to_string(bytes_max) + " bytes"};
    }
    Heard heard = submit_and_wait(fd, size_bytes, back_off);
    if (heard.next == Heard::Next::done) return std::move(heard.judgement);
  }
  return {.kind = Judgement::Kind::stopped};
}

ScanDesk::Heard ScanDesk::submit_and_wait(int fd, uint64_t size_bytes, BackOff& back_off) {
  const std::string id = options_.id_prefix + base::to_hex(base::random_bytes(kScanIdRandomBytes));
  {
    // Before it is sent: the poller must not take it for one of a run before.
    const std::lock_guard lock(mutex_);
    waiting_[id] = {};
  }
  Submitted sent = scanner_.submit({.scan_id = id, .fd = fd, .size_bytes = size_bytes});
  Heard heard{.judgement = {.kind = Judgement::Kind::error, .reason = std::move(sent.reason)}};
  switch (sent.answer) {
    case Answer::taken:
      note(Condition::good, "");
      heard = wait_for(id);
      heard.judgement.sha256 = std::move(sent.sha256);
      break;
    case Answer::too_large: heard.judgement.kind = Judgement::Kind::too_large; break;
    case Answer::changed: heard.judgement.kind = Judgement::Kind::changed; break;
    case Answer::refused: break;
    case Answer::not_approved:
    case Answer::busy:
    case Answer::away:
      heard.next = Heard::Next::submit_again;
      note(sent.answer == Answer::not_approved ? Condition::not_approved
           : sent.answer == Answer::busy       ? Condition::busy
                                               : Condition::away,
           heard.judgement.reason);
      break;
  }
  {
    const std::lock_guard lock(mutex_);
    waiting_.erase(id);
  }
  if (sent.answer == Answer::taken) (void)scanner_.forget(id);
  if (heard.next == Heard::Next::submit_again) pause(back_off, sent.retry_after_ms);
  return heard;
}

ScanDesk::Heard ScanDesk::wait_for(const std::string& scan_id) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(options_.verdict_ms_max);
  std::unique_lock lock(mutex_);
  Waiting& own = waiting_[scan_id];
  own.since_poll = polls_ + 1;  // what is asked from now on knows of it
  poll_ms_ = options_.poll_ms_first;
  changed_.notify_all();
  while (own.state == ScanState::processing) {
    if (stop_.is_stopped()) return {.judgement = {.kind = Judgement::Kind::stopped}};
    if (own.polls_without >= kPollsWithoutMax) {
      base::log_warning(kDeskComponent, "the node knows nothing of a scan that it took; it is handed in again");
      return {.next = Heard::Next::submit_again};
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      if (condition_ != Condition::good) return {.next = Heard::Next::submit_again};  // it is the node that was away
      return {.judgement = {.kind = Judgement::Kind::timeout}};
    }
    changed_.wait_for(lock, std::chrono::milliseconds(kTickMs));
  }
  return {.judgement = {.kind = kind_of(own.state)}};
}

bool ScanDesk::pause(BackOff& back_off, int64_t at_least_ms) {
  return stop_.wait_ms(std::max(back_off.next_ms(), at_least_ms));
}

ScanDesk::Condition ScanDesk::probe() {
  {
    const std::lock_guard lock(mutex_);
    if (condition_ == Condition::good || condition_ == Condition::busy) return Condition::good;
  }
  const auto filters = scanner_.filters();
  if (filters) {
    const std::lock_guard lock(mutex_);
    object_bytes_max_ = filters->object_bytes_max;
  }
  // A node without that call may take objects all the same.
  const bool is_good = filters || filters.error().code == Errc::not_found || filters.error().code == Errc::corrupt;
  const Condition found = is_good                                         ? Condition::good
                          : filters.error().code == Errc::unauthenticated ? Condition::not_approved
                          : filters.error().code == Errc::exhausted       ? Condition::busy
                                                                          : Condition::away;
  note(found, is_good ? "" : filters.error().message);
  return found == Condition::busy ? Condition::good : found;
}

void ScanDesk::note(Condition condition, const std::string& reason) {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(condition_, condition) == condition || stop_.is_stopped()) return;
  }
  switch (condition) {
    case Condition::unknown: break;
    case Condition::good: base::log_info(kDeskComponent, "the node takes objects"); break;
    case Condition::not_approved:
      base::log_warning(kDeskComponent, "waiting for the node's administrator to approve this system (" + reason + ")");
      break;
    case Condition::busy: base::log_warning(kDeskComponent, "the node is busy (" + reason + ")"); break;
    case Condition::away: base::log_warning(kDeskComponent, "no node, trying on (" + reason + ")"); break;
  }
}

void ScanDesk::poll() {
  while (!stop_.is_stopped()) {
    int64_t pause_ms = 0;
    {
      std::unique_lock lock(mutex_);
      const bool any =
          std::any_of(waiting_.begin(), waiting_.end(), [](const auto& row) { return row.second.since_poll != 0; });
      if (!any) {
        changed_.wait_for(lock, std::chrono::milliseconds(kTickMs));
        continue;
      }
      pause_ms = poll_ms_;
      poll_ms_ = std::min(poll_ms_ * kPollGrowthPercent / kPercent + 1, options_.poll_ms_max);
    }
    if (stop_.wait_ms(pause_ms)) return;
    poll_once();
  }
}

void ScanDesk::poll_once() {
  uint64_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    number = ++polls_;
  }
  const auto results = scanner_.states();
  if (results) {
    note(Condition::good, "");
    take_states(*results, number);
    return;
  }
  const Errc code = results.error().code;
  note(code == Errc::unauthenticated ? Condition::not_approved
       : code == Errc::exhausted     ? Condition::busy
                                     : Condition::away,
       results.error().message);
}

void ScanDesk::take_states(const std::vector<ScanResult>& results, uint64_t poll_number) {
  std::vector<std::string> stale;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [id, waiting] : waiting_) {
      if (waiting.since_poll != 0 && waiting.since_poll <= poll_number) ++waiting.polls_without;
    }
    for (const ScanResult& result : results) {
      const auto found = waiting_.find(result.scan_id);
      if (found != waiting_.end()) {
        found->second.polls_without = 0;
        found->second.state = result.state;
        if (result.state != ScanState::processing) poll_ms_ = options_.poll_ms_first;
      } else if (!options_.id_prefix.empty() && result.scan_id.starts_with(options_.id_prefix) &&
                 result.state != ScanState::processing && stale.size() < kForgottenAPoll) {
        stale.push_back(result.scan_id);
      }
    }
    changed_.notify_all();
  }
  for (const std::string& id : stale) (void)scanner_.forget(id);
}

}  // namespace redoubt::gateway
