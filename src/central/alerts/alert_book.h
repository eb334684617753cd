// The alerts of the node, in the state database: detections are grouped into them, people work on them. Every alert
// that changed goes to the feed once it is durable. Any thread.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "central/alerts/alert.h"
#include "central/alerts/alert_feed.h"
#include "central/alerts/alert_sink.h"
#include "store/state/state_db.h"

namespace redoubt::central {

// Detections of one rule, host and subject closer than this to an open alert's events join it; those of a correlation
// from any host.
constexpr int64_t kAlertGroupUs = base::kHourUs;

struct RuleHits {
  int64_t count = 0;
  base::Time last;  // event time of the latest one; 0: before the node kept it
};

class AlertBook final : public AlertSink {
 public:
  AlertBook(store::StateDb& state, AlertFeed& feed) : state_(state), feed_(feed) {}

  Result<std::string> add(const NewDetection& detection) override;
  // All or none, in one transaction, together with what `also` writes. How many were new.
  using AlsoWrite = std::function<Status(soci::session&)>;
  Result<size_t> add_all(std::span<const NewDetection> detections, const AlsoWrite& also = {});

  // `id` as the API writes it; not_found where there is none.
  Result<Alert> get(const std::string& id);
  // limit 1 … kAlertPageMax; cursor from the page before, empty for the first.
  Result<AlertPage> list(const AlertFilter& filter, size_t limit, const std::string& cursor);
  Result<Alert> change(const std::string& id, const AlertChange& change, const std::string& user);
  // Detections by rule id, all time.
  Result<std::map<std::string, RuleHits, std::less<>>> hits();
  // Which of the keys of detections are there already.
  Result<std::set<std::string>> known(std::span<const std::string> keys);

 private:
  store::StateDb& state_;
  AlertFeed& feed_;
};

}  // namespace redoubt::central
