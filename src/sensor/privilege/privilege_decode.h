// Reads the records of the privilege, kernel and tamper sources, and says what they mean in events. Ring thread; pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sensor/privilege/privilege_record.h"

namespace redoubt::v1 {
class Event;
}

namespace redoubt::sensor {

// Who a process is to the kernel.
struct Identity {
  uint32_t user = 0;
  uint32_t effective_user = 0;
  uint32_t group = 0;
  uint32_t effective_group = 0;
  uint64_t cap_effective = 0;
  uint64_t cap_permitted = 0;
  friend bool operator==(const Identity&, const Identity&) = default;
};

// "setresuid"; empty for a call that is not told.
std::string_view call_name(const rd_call& call);

Identity identity_of(const rd_actor& actor, const rd_context& context);

// Absent if the record is not whole. `record` is aligned to 8 bytes, as the rings hold it.
std::optional<rd_privilege> decode_privilege(std::string_view record);
std::optional<rd_trace> decode_trace(std::string_view record);

// Type and action, the request or the namespaces; false if the call is none that the source tells.
enum class Told { no, yes };
Told describe_privilege(const rd_privilege& record, v1::Event& event);
Told describe_trace(const rd_trace& record, v1::Event& event);
// What the process has become.
void describe_change(const Identity& before, const Identity& after, v1::Event& event);

// "CLONE_NEWNS|CLONE_NEWUSER", in the order of the flags' names; flags without a name are left out.
std::string namespace_names(uint64_t flags);

}  // namespace redoubt::sensor
