// Live alerts for those who look: every new or changed alert is offered to each subscription's bounded queue. A reader
// that falls behind is cut off (it reads the list again when it comes back); the publisher never waits. Any thread.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace redoubt::central {

constexpr size_t kFeedQueueMax = 256;
constexpr size_t kFeedSubscriptionsMax = 256;

class AlertFeed {
 public:
  class Subscription {
   public:
    // The next alert as JSON; nothing: wait for the wake.
    std::optional<std::string> next();
    // False once it was cut off.
    bool live() const;
    // Called, from the publisher's thread, whenever there is something new; must not block.
    void wake_with(std::function<void()> wake);

   private:
    friend class AlertFeed;
    void offer(const std::string& alert);

    mutable std::mutex mutex_;
    std::deque<std::string> queue_;
    bool live_ = true;
    std::function<void()> wake_;
  };

  // Nothing where there are too many. Dropping the pointer unsubscribes.
  std::shared_ptr<Subscription> subscribe();
  void publish(const std::string& alert_json);

 private:
  std::mutex mutex_;
  std::vector<std::weak_ptr<Subscription>> subscriptions_;
};

}  // namespace redoubt::central
