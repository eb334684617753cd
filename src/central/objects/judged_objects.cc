#include "central/objects/judged_objects.h"

#include <utility>

namespace redoubt::central {

void JudgedObjects::enter(long long row, const Object& object) {
  const std::lock_guard lock(mutex_);
  entries_.try_emplace(row, Entry{object, nullptr});
}

void JudgedObjects::judge(long long row, std::shared_ptr<const KnownVerdict> verdict, const std::string& alert_id) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(row);
  if (found == entries_.end()) return;
  Object& object = found->second.object;
  object.verdict = verdict->report.verdict;
  object.alert_id = alert_id;
  found->second.verdict = std::move(verdict);
  judged_.push_back(row);
  if (judged_.size() <= kJudgedMax) return;
  entries_.erase(judged_.front());
  judged_.pop_front();
}

void JudgedObjects::forget_judged() {
  const std::lock_guard lock(mutex_);
  for (const long long row : judged_) entries_.erase(row);
  judged_.clear();
}

std::optional<Object> JudgedObjects::find(long long row) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(row);
  if (found == entries_.end() || found->second.verdict == nullptr) return std::nullopt;
  Object object = found->second.object;
  object.report = found->second.verdict->report;
  return object;
}

}  // namespace redoubt::central
