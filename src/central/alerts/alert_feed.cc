#include "central/alerts/alert_feed.h"

namespace redoubt::central {

std::optional<std::string> AlertFeed::Subscription::next() {
  const std::lock_guard lock(mutex_);
  if (queue_.empty()) return std::nullopt;
  std::string alert = std::move(queue_.front());
  queue_.pop_front();
  return alert;
}

bool AlertFeed::Subscription::live() const {
  const std::lock_guard lock(mutex_);
  return live_;
}

void AlertFeed::Subscription::wake_with(std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  wake_ = std::move(wake);
}

void AlertFeed::Subscription::offer(const std::string& alert) {
  const std::lock_guard lock(mutex_);
  if (queue_.size() >= kFeedQueueMax) live_ = false;
  if (live_) queue_.push_back(alert);
  if (wake_) wake_();
}

std::shared_ptr<AlertFeed::Subscription> AlertFeed::subscribe() {
  const std::lock_guard lock(mutex_);
  std::erase_if(subscriptions_, [](const auto& subscription) { return subscription.expired(); });
  if (subscriptions_.size() >= kFeedSubscriptionsMax) return nullptr;
  auto subscription = std::make_shared<Subscription>();
  subscriptions_.push_back(subscription);
  return subscription;
}

void AlertFeed::publish(const std::string& alert_json) {
  std::vector<std::shared_ptr<Subscription>> live;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& weak : subscriptions_) {
      if (auto subscription = weak.lock()) live.push_back(std::move(subscription));
    }
  }
  for (const auto& subscription : live) subscription->offer(alert_json);
}

}  // namespace redoubt::central
