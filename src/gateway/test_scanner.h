// A node in memory for tests: judges what is handed in by its content, and can be away, unapproved, slow or forgetful.
#pragma once

#include <unistd.h>

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "base/hash.h"
#include "gateway/scanner.h"

namespace redoubt::gateway {

class TestScanner final : public Scanner {
 public:
  // Content that holds "EICAR" is detected, "BROKEN" an error, "SLOW" a timeout, "ENDLESS" processed for ever.
  Submitted submit(const Submission& submission) override {
    const std::lock_guard lock(mutex_);
    ++submissions_;
    if (answer_ != Answer::taken) return {.answer = answer_, .reason = "told to"};
    std::string content(submission.size_bytes, '\0');
    if (pread(submission.fd, content.data(), content.size(), 0) != static_cast<ssize_t>(content.size())) {
      return {.answer = Answer::changed, .reason = "short"};
    }
    ScanState state = ScanState::not_detected;
    if (content.find("EICAR") != std::string::npos) state = ScanState::detect;
    if (content.find("BROKEN") != std::string::npos) state = ScanState::error;
    if (content.find("SLOW") != std::string::npos) state = ScanState::timeout;
    if (content.find("ENDLESS") != std::string::npos) state = ScanState::processing;
    scans_[submission.scan_id] = state;
    if (on_submit_) on_submit_(content);
    return {.answer = Answer::taken, .sha256 = base::sha256_hex(content)};
  }
  Result<std::vector<ScanResult>> states() override {
    const std::lock_guard lock(mutex_);
    if (answer_ != Answer::taken) return fail(Errc::unavailable, "told to");
    std::vector<ScanResult> results;
    for (const auto& [id, state] : scans_) results.push_back({id, state});
    return results;
  }
  Status forget(const std::string& scan_id) override {
    const std::lock_guard lock(mutex_);
    scans_.erase(scan_id);
    return {};
  }
  Result<Filters> filters() override {
    const std::lock_guard lock(mutex_);
    if (answer_ == Answer::not_approved) return fail(Errc::unauthenticated, "told to");
    if (answer_ == Answer::away) return fail(Errc::unavailable, "told to");
    return Filters{.object_bytes_max = object_bytes_max_};
  }
  void stop() override {}

  void answer(Answer answer) {
    const std::lock_guard lock(mutex_);
    answer_ = answer;
  }
  void lose_all() {
    const std::lock_guard lock(mutex_);
    scans_.clear();
  }
  void put(const std::string& id, ScanState state) {
    const std::lock_guard lock(mutex_);
    scans_[id] = state;
  }
  void on_submit(std::function<void(const std::string& content)> call) { on_submit_ = std::move(call); }
  void object_bytes_max(uint64_t bytes) { object_bytes_max_ = bytes; }
  size_t scans() const {
    const std::lock_guard lock(mutex_);
    return scans_.size();
  }
  int submissions() const {
    const std::lock_guard lock(mutex_);
    return submissions_;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, ScanState> scans_;
  Answer answer_ = Answer::taken;
  uint64_t object_bytes_max_ = 0;
  int submissions_ = 0;
  std::function<void(const std::string& content)> on_submit_;
};

// Waits until it holds, for ten seconds at most.
inline bool eventually(const std::function<bool()>& condition) {
  for (int i = 0; i < 1000; ++i) {
    if (condition()) return true;
    usleep(10'000);
  }
  return false;
}

}  // namespace redoubt::gateway
