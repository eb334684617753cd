#include "store/events/intake.h"

#include <algorithm>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"

namespace redoubt::store {

namespace {

constexpr size_t kIdBytesMax = 256;

}  // namespace

Status check_frame(const std::string& host_id, const event::Frame& frame, const event::Batch& batch) {
  if (host_id.empty() || host_id.size() > kIdBytesMax || frame.boot_id.empty() || frame.boot_id.size() > kIdBytesMax) {
    return fail(Errc::invalid_argument, "frame: host id or boot id is empty or too long");
  }
  if (!base::is_utf8(host_id) || !base::is_utf8(frame.boot_id)) {
    return fail(Errc::invalid_argument, "frame: host id or boot id is not UTF-8");
  }
  if (batch.size() == 0 || batch.size() != frame.events) {
    return fail(Errc::invalid_argument,
                "frame says " + std::to_string(frame.events) + " events and has " + std::to_string(batch.size()));
  }
  const int64_t first = batch.row(0).integer(event::Field::event_sequence);
  const int64_t last = batch.row(batch.size() - 1).integer(event::Field::event_sequence);
  if (first < 1 || static_cast<uint64_t>(first) != frame.first_sequence ||
      static_cast<uint64_t>(last) != frame.last_sequence) {
    return fail(Errc::invalid_argument, "frame says events " + std::to_string(frame.first_sequence) + " to " +
                                            std::to_string(frame.last_sequence) + " and has " + std::to_string(first) +
                                            " to " + std::to_string(last));
  }
  return {};
}

Status refuse_on_full_disk(const std::string& directory, uint64_t free_bytes_min) {
  TRY(const uint64_t free, base::free_bytes(directory));
  if (free >= free_bytes_min) return {};
  return fail(Errc::exhausted, "event store: less than " + std::to_string(free_bytes_min) + " bytes free on the disk");
}

std::optional<event::Batch> decode_spooled(const SpooledFrame& spooled) {
  const event::Frame& frame = spooled.frame;
  auto batch = event::open_frame(frame.payload, frame.checksum).and_then(event::Batch::decode);
  if (batch) {
    if (!spooled.notes.empty() && spooled.notes.back().row < batch->size()) batch->add(spooled.notes);
    return *std::move(batch);
  }
  base::log_error("store", "spooled frame of host " + spooled.host_id + ", events " +
                               std::to_string(frame.first_sequence) + " to " + std::to_string(frame.last_sequence) +
                               ", is not readable: " + batch.error().message);
  return std::nullopt;
}

void count_row(const event::Row& row, HostActivity& host) {
  ++host.events;
  host.last_event_us = std::max(host.last_event_us, row.integer(event::Field::event_time));
  if (row.type() == event::EventType::loss) {
    host.events_lost += static_cast<uint64_t>(std::max<int64_t>(0, row.integer(event::Field::loss_count)));
  }
}

}  // namespace redoubt::store
