// Runs hunts over a view: leaves out what cannot match, counts by indexes where they suffice, walks events in the order
// of time, sets damaged segments aside, and keeps the limits of time and memory. Any thread.
#pragma once

#include <semaphore>

#include "store/events/embedded/run.h"

namespace redoubt::store::embedded {

constexpr std::ptrdiff_t kHuntsAtOnceMax = 4;

class Hunter {
 public:
  explicit Hunter(Duck& duck) : duck_(duck) {}

  Result<HuntResult> hunt(const View& view, const query::Hunt& hunt, const HuntLimits& limits, const RowsFound& found);
  Result<HuntResult> histogram(const View& view, const query::Hunt& hunt, int64_t width_us, const HuntLimits& limits);
  // Runs a statement that writes what the hunt finds elsewhere; its own rows. A limit that ends it is an error.
  Result<HuntResult> write(const View& view, const query::Hunt& hunt, const Run::StatementOf& statement_of,
                           const HuntLimits& limits);

 private:
  Duck& duck_;
  std::counting_semaphore<kHuntsAtOnceMax> slots_{kHuntsAtOnceMax};
};

}  // namespace redoubt::store::embedded
