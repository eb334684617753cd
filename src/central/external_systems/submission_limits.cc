#include "central/external_systems/submission_limits.h"

#include <algorithm>

namespace redoubt::central {

Result<std::unique_ptr<SubmissionLimits::Place>> SubmissionLimits::take(const std::string& system_id, base::Time now) {
  const std::lock_guard lock(mutex_);
  const double most = static_cast<double>(options_.per_minute_max);
  const auto [found, is_new] = usages_.try_emplace(system_id, Usage{.open = 0, .allowance = most, .filled = now});
  Usage& usage = found->second;
  const double minutes = static_cast<double>(std::max<int64_t>(0, now.us - usage.filled.us)) / base::kMinuteUs;
  usage.allowance = std::min(most, usage.allowance + minutes * most);
  usage.filled = now;
  if (usage.open >= options_.open_max) {
    return fail(Errc::exhausted, "this system has " + std::to_string(usage.open) + " submissions open, the limit");
  }
  if (usage.allowance < 1) {
    return fail(Errc::exhausted, "this system has made " + std::to_string(options_.per_minute_max) +
                                     " submissions within a minute, the limit");
  }
  usage.allowance -= 1;
  ++usage.open;
  return std::make_unique<Place>(*this, system_id);
}

void SubmissionLimits::give_back(const std::string& system_id) {
  const std::lock_guard lock(mutex_);
  --usages_.at(system_id).open;
}

}  // namespace redoubt::central
