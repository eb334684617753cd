// Hosts that fell silent: an agent that was stopped, cut off or killed does not say so, so that nothing comes from it
// is an alert of its own. One alert a silence; contact closes it. The node's own absence is not held against the hosts.
// One thread at a time.
#pragma once

#include <string>

#include "base/time.h"
#include "central/alerts/alert_book.h"
#include "central/fleet/fleet.h"

namespace redoubt::central {

class SilenceWatch {
 public:
  // silent_after_us 0: nothing is watched. `started`: since when the node has been there to listen.
  SilenceWatch(Fleet& fleet, AlertBook& alerts, int64_t silent_after_us, base::Time started)
      : fleet_(fleet), alerts_(alerts), silent_after_us_(silent_after_us), started_(started) {}

  // How often look() is worth calling, seconds.
  int64_t look_every_s() const;
  void look(base::Time now);

 private:
  Status tell(const Host& host, base::Time since);
  Status clear(const Host& host);

  Fleet& fleet_;
  AlertBook& alerts_;
  const int64_t silent_after_us_;
  const base::Time started_;
};

}  // namespace redoubt::central
