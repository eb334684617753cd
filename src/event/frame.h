// A frame: one compressed EventBatch with its range and checksum. The same bytes are spooled by the agent, sent,
// spooled by the node and replayed. Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace redoubt::v1 {
class Event;
}

namespace redoubt::event {

struct Frame {
  std::string boot_id;
  uint64_t first_sequence = 0;
  uint64_t last_sequence = 0;
  uint32_t events = 0;
  std::string payload;    // zstd of a serialized EventBatch
  uint64_t checksum = 0;  // XXH3-64 of payload
};

// Collects events into one frame. Events carry event.sequence already, rising.
class FrameBuilder {
 public:
  // `common`: the fields that every event of the host has (host.*, agent.version).
  explicit FrameBuilder(const v1::Event& common);

  void add(const v1::Event& event);
  // The number by which events added to this frame name the attribute.
  uint32_t attribute_name(std::string_view name);
  uint32_t events() const { return events_; }
  size_t bytes() const { return body_.size(); }
  // The frame of what was added, and an empty builder. At least one event.
  Frame finish(std::string boot_id);

 private:
  std::string header_;
  std::string body_;
  std::map<std::string, uint32_t, std::less<>> attribute_names_;
  std::string names_;  // serialized
  uint32_t events_ = 0;
  uint64_t first_sequence_ = 0;
  uint64_t last_sequence_ = 0;
};

uint64_t frame_checksum(std::string_view payload);
// Checks the checksum, decompresses (at most kBatchBytesMax, else too_large): bytes for Batch::decode.
Result<std::string> open_frame(std::string_view payload, uint64_t checksum);

// A frame as one record of a spool file: a 16-byte head (magic, size, XXH3-32 of the body) and the body. Both spools
// use it.
std::string encode_record(const Frame& frame);
// Reads the record at the front of `bytes` and removes it. not_found: nothing left; corrupt: torn or damaged.
Result<Frame> take_record(std::string_view& bytes);

}  // namespace redoubt::event
