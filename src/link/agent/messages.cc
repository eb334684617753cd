#include "link/agent/messages.h"

#include <utility>

namespace redoubt::link {

v1::AgentMessage message_of(event::Frame frame) {
  v1::AgentMessage message;
  v1::Frame& out = *message.mutable_frame();
  out.set_boot_id(std::move(frame.boot_id));
  out.set_first_sequence(frame.first_sequence);
  out.set_last_sequence(frame.last_sequence);
  out.set_events(frame.events);
  out.set_payload(std::move(frame.payload));
  out.set_checksum(frame.checksum);
  return message;
}

v1::AgentMessage message_of(const HostReport& report) {
  v1::AgentMessage message;
  v1::Report& out = *message.mutable_report();
  out.set_policy_version(report.policy_version);
  out.set_policy_error(report.policy_error);
  out.set_cpu_permille(report.cpu_permille);
  out.set_degradation(report.degradation);
  out.set_spool_bytes(report.spool_bytes);
  out.set_events_lost(report.events_lost);
  out.set_memory_rss(report.memory_rss);
  return message;
}

}  // namespace redoubt::link
