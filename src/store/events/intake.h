// What every engine does with a frame that comes in, before it is spooled and after. Any thread.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "event/batch.h"
#include "store/events/spool.h"
#include "store/events/store_report.h"

namespace redoubt::store {

// Host id and boot id.
using BootKey = std::pair<std::string, std::string>;

// How far a host's boot is.
struct Boot {
  uint64_t stored = 0;
  uint64_t judged = 0;
};

// invalid_argument where the frame is not what it says.
Status check_frame(const std::string& host_id, const event::Frame& frame, const event::Batch& batch);
// exhausted where the disk of the directory has less free.
Status refuse_on_full_disk(const std::string& directory, uint64_t free_bytes_min);
// The events of a frame that was taken once. One that cannot be read any more is logged, and must not keep a store from
// opening.
std::optional<event::Batch> decode_spooled(const SpooledFrame& spooled);
// An event more of the host.
void count_row(const event::Row& row, HostActivity& host);

}  // namespace redoubt::store
