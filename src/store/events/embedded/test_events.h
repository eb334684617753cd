// Small frames and hunts for the tests of the store.
#pragma once

#include <string>

#include "event/batch.h"
#include "event/frame.h"
#include "redoubt/event.pb.h"
#include "store/events/event_store.h"

namespace redoubt::store::test_events {

constexpr int64_t kBaseUs = 1'780'000'000'000'000;

struct TestFrame {
  std::string host_id;
  event::Frame frame;
  event::Batch batch;
};

// Events first..last of (host, "boot"), one a second from kBaseUs on by their numbers; `change` edits each.
inline TestFrame make_frame(const std::string& host, uint64_t first, uint64_t last,
                            const std::function<void(v1::Event&)>& change = {}) {
  v1::Event common;
  common.set_host_id("what the agent says");
  common.set_host_name("web-1");
  event::FrameBuilder builder(common);
  for (uint64_t number = first; number <= last; ++number) {
    v1::Event event;
    event.set_event_type(v1::EVENT_TYPE_PROCESS);
    event.set_event_sequence(static_cast<int64_t>(number));
    event.set_event_time(kBaseUs + static_cast<int64_t>(number) * base::kSecondUs);
    event.set_process_name("p" + std::to_string(number));
    event.set_process_command_line("curl --url Http://Example.org/" + std::to_string(number));
    event.set_process_pid(static_cast<int64_t>(1000 + number));
    if (change) change(event);
    builder.add(event);
  }
  event::Frame frame = builder.finish("boot");
  auto batch = event::Batch::decode(event::open_frame(frame.payload, frame.checksum).value());
  return {.host_id = host, .frame = std::move(frame), .batch = std::move(batch).value()};
}

inline Result<Appended> append(EventStore& store, const TestFrame& made) {
  return store.append(made.host_id, made.frame, made.batch);
}

inline query::Hunt everything(uint32_t limit = 10'000) {
  query::Hunt hunt;
  hunt.limit = limit;
  hunt.fields = {event::Field::event_sequence, event::Field::host_id};
  return hunt;
}

inline int64_t number_at(const HuntResult& result, size_t row, size_t column) {
  return std::get<int64_t>(result.rows.at(row).at(column));
}

}  // namespace redoubt::store::test_events
