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
  uint64_t memory_file_bytes_max = 0;  // of each; the only files that can be made inside
  int64_t cpu_seconds_max = 0;
};

// On success says what holds: "landlock 7, seccomp, network namespace, uid 65534". Any part that this kernel has and
// that cannot be put in place is an error; a kernel without Landlock is not (seccomp refuses every open anyway).
// A log that is a file is left behind: memory files may grow, and the limit on sizes is one for all files.
// Afterwards opening a file is EPERM; making a socket or a process, or executing one, ends the process with SIGSYS.
Result<std::string> enter_jail(const JailOptions& options);

}  // namespace redoubt::scan
