// Frames for central's tests: what an agent of host "host" on boot "boot" would send.
#pragma once

#include <string>
#include <vector>

#include "base/time.h"
#include "event/batch.h"
#include "event/frame.h"
#include "redoubt/event.pb.h"

namespace redoubt::central::testing {

inline std::string entity(int number) {
  const std::string text = std::to_string(number);
  return std::string(32 - text.size(), '0') + text;
}

inline v1::Event process_event(uint64_t sequence, int process, int parent, const std::string& path) {
  v1::Event event;
  event.set_event_type(v1::EVENT_TYPE_PROCESS);
  event.set_event_action("exec");
  event.set_event_sequence(static_cast<int64_t>(sequence));
  event.set_event_time(base::Time::now().us + static_cast<int64_t>(sequence));
  event.set_user_name("root");
  event.set_user_id(0);
  event.set_process_entity_id(entity(process));
  event.set_process_pid(process);
  event.set_process_executable(path);
  event.set_process_name(path.substr(path.rfind('/') + 1));
  event.set_process_comm(event.process_name().substr(0, 15));
  event.set_process_command_line(path + " --now");
  if (parent != 0) {
    event.set_process_parent_entity_id(entity(parent));
    event.set_process_parent_pid(parent);
    event.set_process_parent_executable("/parent/" + std::to_string(parent));
  }
  return event;
}

inline event::Frame frame_of(const std::vector<v1::Event>& events, const std::string& host_id = "host",
                             const std::string& boot_id = "boot") {
  v1::Event common;
  common.set_host_id(host_id);
  common.set_host_boot_id(boot_id);
  common.set_host_name("web-1");
  event::FrameBuilder builder(common);
  for (const v1::Event& event : events) builder.add(event);
  return builder.finish(boot_id);
}

inline event::Batch batch_of(const event::Frame& frame) {
  return event::Batch::decode(event::open_frame(frame.payload, frame.checksum).value()).value();
}

}  // namespace redoubt::central::testing
