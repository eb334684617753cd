// How much one external system may ask of the object door: submissions at once, and in a minute. In memory; systems are
// those that were approved, so they are few. Any thread.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"
#include "base/time.h"

namespace redoubt::central {

struct SubmissionLimitOptions {
  size_t open_max = 16;          // bodies that come at the same time
  size_t per_minute_max = 3000;  // also as many at once after a minute of silence
};

class SubmissionLimits {
 public:
  explicit SubmissionLimits(const SubmissionLimitOptions& options) : options_(options) {}

  // Held while a submission is open; given back with its end. It does not outlive the limits.
  class Place {
   public:
    Place(SubmissionLimits& limits, std::string system_id) : limits_(limits), system_id_(std::move(system_id)) {}
    ~Place() { limits_.give_back(system_id_); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

   private:
    SubmissionLimits& limits_;
    const std::string system_id_;
  };
  // exhausted: it has to come again later.
  Result<std::unique_ptr<Place>> take(const std::string& system_id, base::Time now);

 private:
  struct Usage {
    size_t open = 0;
    double allowance = 0;  // submissions that may begin now
    base::Time filled;
  };
  void give_back(const std::string& system_id);

  const SubmissionLimitOptions options_;
  std::mutex mutex_;
  std::map<std::string, Usage, std::less<>> usages_;
};

}  // namespace redoubt::central
