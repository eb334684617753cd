// For the link's tests: events to send, and the books of what was received.
#pragma once

#include <gtest/gtest.h>
#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/time.h"
#include "event/batch.h"
#include "event/frame.h"
#include "redoubt/event.pb.h"

namespace redoubt::link {

inline v1::Event process_event() {
  v1::Event event;
  event.set_event_type(v1::EVENT_TYPE_PROCESS);
  event.set_event_action("exec");
  event.set_event_time(base::Time::now().us);
  event.set_process_executable("/usr/bin/true");
  return event;
}

struct ReceivedLoss {
  std::string cause;
  uint64_t count = 0;
  uint64_t first_sequence = 0;
  uint64_t last_sequence = 0;
  uint64_t own_sequence = 0;
};

// The numbers of one boot that arrived, and those that were declared lost.
struct Received {
  std::set<uint64_t> sequences;
  std::vector<ReceivedLoss> losses;
  size_t duplicates = 0;
  std::array<uint64_t, event::kEventTypesMax> types{};

  void add(const event::Frame& frame) {
    const auto bytes = event::open_frame(frame.payload, frame.checksum);
    const auto batch = event::Batch::decode(bytes.value());
    ASSERT_TRUE(batch) << batch.error().message;
    for (size_t i = 0; i < batch->size(); ++i) add(batch->row(i));
  }
  void add(const event::Row& row) {
    using event::Field;
    const auto sequence = static_cast<uint64_t>(row.integer(Field::event_sequence));
    if (!sequences.insert(sequence).second) ++duplicates;
    ++types[static_cast<size_t>(row.type())];
    if (row.type() != event::EventType::loss) return;
    losses.push_back({.cause = std::string(row.text(Field::loss_cause)),
                      .count = static_cast<uint64_t>(row.integer(Field::loss_count)),
                      .first_sequence = static_cast<uint64_t>(row.integer(Field::loss_first_sequence)),
                      .last_sequence = static_cast<uint64_t>(row.integer(Field::loss_last_sequence)),
                      .own_sequence = sequence});
  }
  bool declared(uint64_t sequence) const {
    return std::any_of(losses.begin(), losses.end(), [&](const ReceivedLoss& loss) {
      return loss.first_sequence <= sequence && sequence <= loss.last_sequence;
    });
  }
  // How many of 1…last neither arrived nor are declared lost.
  uint64_t missing_up_to(uint64_t last) const {
    uint64_t missing = 0;
    for (uint64_t sequence = 1; sequence <= last; ++sequence) {
      missing += !sequences.contains(sequence) && !declared(sequence) ? 1 : 0;
    }
    return missing;
  }
  uint64_t highest() const { return sequences.empty() ? 0 : *sequences.rbegin(); }
};

}  // namespace redoubt::link
