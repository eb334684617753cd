#include "central/objects/verdict_cache.h"

namespace redoubt::central {

std::shared_ptr<const KnownVerdict> VerdictCache::find(const ContentKey& content, const Judges& judges) {
  const std::lock_guard lock(mutex_);
  const auto found = by_content_.find(content.text());
  if (found == by_content_.end() || (*found->second)->judges != judges) return nullptr;
  latest_.splice(latest_.begin(), latest_, found->second);
  return latest_.front();
}

void VerdictCache::put(std::shared_ptr<const KnownVerdict> known) {
  const scan::ScanReport& report = known->report;
  const std::lock_guard lock(mutex_);
  const std::string key = known->content.text();
  drop_locked(key);
  unknown_.erase(key);
  if (report.objects.size() + report.detections.size() + report.links.size() > kPartsMax) return;
  latest_.push_front(std::move(known));
  by_content_.emplace(key, latest_.begin());
  if (latest_.size() <= kVerdictsMax) return;
  by_content_.erase(latest_.back()->content.text());
  latest_.pop_back();
}

void VerdictCache::drop(const ContentKey& content) {
  const std::lock_guard lock(mutex_);
  drop_locked(content.text());
}

void VerdictCache::put_unknown(const ContentKey& content) {
  const std::lock_guard lock(mutex_);
  // Whoever looked may have done so before the verdict came.
  if (by_content_.contains(content.text())) return;
  if (unknown_.size() >= kUnknownMax) unknown_.clear();
  unknown_.insert(content.text());
}

bool VerdictCache::is_unknown(const ContentKey& content) const {
  const std::lock_guard lock(mutex_);
  return unknown_.contains(content.text());
}

void VerdictCache::drop_locked(const std::string& key) {
  const auto found = by_content_.find(key);
  if (found == by_content_.end()) return;
  latest_.erase(found->second);
  by_content_.erase(found);
}

}  // namespace redoubt::central
