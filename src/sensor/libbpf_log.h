// What libbpf complains of, in the agent's log.
#pragma once

namespace redoubt::sensor {

// From here on, for the whole process.
void log_libbpf();

}  // namespace redoubt::sensor
