// Shuts a process in for good: no file system, no network, no new process, no privileges, bounded memory and time.
// Called once by redoubt-scan, single-threaded, after it has opened what it needs and before it sees a hostile byte.
// Works as root and as an ordinary user; what only root can have (a network namespace, another user id) an ordinary
// user lacks.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace redoubt::scan {

struct JailOptions {
  uint64_t memory_bytes_max = 0;
  int64_t cpu_seconds_max = 0;
};

// On success says what holds: "landlock 7, seccomp, network namespace, uid 65534". Any part that this kernel has and
// that cannot be put in place is an error; a kernel without Landlock is not (seccomp refuses every open anyway).
// Afterwards opening a file is EPERM; making a socket or a process, or executing one, ends the process with SIGSYS.
Result<std::string> enter_jail(const JailOptions& options);

}  // namespace redoubt::scan
