// All that a hunt finds as a file, for people who hunt: a few at once, each within limits of time and size. The store
// writes the file in its own directory and takes its name away, so that it goes with whoever holds it. Blocks; any
// thread.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "base/metrics.h"
#include "central/hunts/hunt_service.h"
#include "store/events/event_store.h"

namespace redoubt::central {

struct HuntExportLimits {
  int64_t time_ms_max = 600'000;
  uint64_t file_bytes_max = uint64_t{4} << 30;
  // Whoever reads a file counts until it is read. The store works on four hunts at once: two stay free.
  int at_once_max = 2;
};

class HuntExports {
 public:
  HuntExports(store::EventStore& events, base::Metrics& metrics, const HuntExportLimits& limits);

  // `gone` says that nobody waits for the file any more. Errors: exhausted where too many run, timeout and too_large
  // where a limit ended it.
  HuntOutcome<std::shared_ptr<const store::Exported>> run(const std::string& text, store::ExportFormat format,
                                                          const std::function<bool()>& gone);
  // Cancels what runs and refuses what comes.
  void stop() { stopping_ = true; }

 private:
  store::EventStore& events_;
  const HuntExportLimits limits_;
  base::Metric &exports_, &abandoned_;
  std::atomic<bool> stopping_{false};
  // Shared with the files that are out.
  std::shared_ptr<std::atomic<int>> running_ = std::make_shared<std::atomic<int>>(0);
};

}  // namespace redoubt::central
