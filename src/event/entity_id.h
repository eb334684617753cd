// The fleet-unique identity of a process: the same 32 hexadecimal digits wherever and whenever it is computed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace redoubt::event {

// XXH3-128 over host id, boot id, pid and start time (nanoseconds since boot, the kernel's value).
std::string process_entity_id(std::string_view host_id, std::string_view boot_id, int64_t pid, uint64_t start_ns);

}  // namespace redoubt::event
