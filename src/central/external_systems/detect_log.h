// Everything that engines detected in objects, numbered in the order in which it became known: external systems read it
// from where they stopped, and neither miss nor see twice. Stands between the object door and the alerts; a detection
// that is told again (after a stop in between) is not numbered again. Any thread; may block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "central/alerts/alert_sink.h"
#include "store/objects/object_store.h"
#include "store/state/state_db.h"

namespace redoubt::central {

// SQL of its table; a step of central's schema list.
extern const std::string_view kDetectLogMigration;

constexpr int64_t kDetectsMax = 100'000;  // past it the oldest go

// What one technology found in one object, whichever and however many of its rules.
struct LoggedDetect {
  int64_t number = 0;
  std::string alert_id;
  std::string object_id;
  std::string technology;  // "am", "sb", "yara", "url_reputation", "ids"
  std::string md5;         // of the object; older systems compare by it. Empty where its content is gone
  base::Time time;
};

// The technology that external systems know an engine by.
std::string_view technology_of(std::string_view engine);
bool is_technology(std::string_view name);

class DetectLog final : public AlertSink {
 public:
  // All outlive it.
  DetectLog(store::StateDb& state, AlertSink& alerts, store::ObjectStore& content)
      : state_(state), alerts_(alerts), content_(content) {}

  Result<std::string> add(const NewDetection& detection) override;
  // Those of the technologies (none: of all) with higher numbers, in their order.
  Result<std::vector<LoggedDetect>> after(int64_t number, std::span<const std::string> technologies, size_t limit);

 private:
  Result<bool> knows(const LoggedDetect& detect);

  store::StateDb& state_;
  AlertSink& alerts_;
  store::ObjectStore& content_;
};

}  // namespace redoubt::central
