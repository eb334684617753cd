// What the agent says, in the words of the wire.
#pragma once

#include "event/frame.h"
#include "link/host_policy.h"
#include "redoubt/link.pb.h"

namespace redoubt::link {

v1::AgentMessage message_of(event::Frame frame);
v1::AgentMessage message_of(const HostReport& report);

}  // namespace redoubt::link
