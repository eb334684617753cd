// Verdicts that are posted to whoever asked for them when it handed the object in. What is owed is a row of the state
// database, written with the object's own, so a restart forgets none; a post that fails is tried again with growing
// pauses, some hours at most. At least once: a crash behind an answer posts again. start() and stop() from one thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "central/objects/object_service.h"
#include "store/state/state_db.h"

namespace redoubt::central {

// A step of central's schema list.
extern const std::string_view kWebhooksMigration;

constexpr int kWebhookAttemptsMax = 15;
constexpr int64_t kWebhookPauseUs = 2 * base::kSecondUs;  // doubled with each attempt
constexpr int64_t kWebhookPauseUsMax = base::kHourUs;

// `prefixes`: where posts may go, each with its path's slash: "https://soar.example.org/". permission_denied elsewhere:
// an integrator shall not make the node knock at doors inside its network.
Status may_post_to(const std::vector<std::string>& prefixes, const std::string& url);

// Called in the transaction that writes the object.
void owe_webhook(soci::session& sql, const std::string& object_id, const std::string& url);

class Webhooks {
 public:
  struct Parts {
    store::StateDb& state;
    base::Metrics& metrics;
    // The body: the object as the API shows it.
    std::function<std::string(const Object&)> render;
  };
  // The parts outlive it.
  explicit Webhooks(Parts parts) : parts_(std::move(parts)) {}
  ~Webhooks() { stop(); }

  void start();
  void stop();

 private:
  struct Owed {
    long long object = 0;
    std::string url;
    int attempts = 0;
  };
  void run();
  Result<std::vector<Owed>> due(base::Time now);
  Status deliver(const Owed& owed);
  Status settle(const Owed& owed, const Status& delivered);

  Parts parts_;
  std::mutex mutex_;
  std::condition_variable stopped_;
  enum class Life { runs, stops } life_ = Life::runs;
  std::thread thread_;
};

}  // namespace redoubt::central
