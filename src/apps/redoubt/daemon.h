// Programs that go on when `redoubt up` has ended: started in a session of their own, remembered in a pid file that
// also holds the start time and the boot, so that a number which the kernel gave to another process is not taken for
// ours.
#pragma once

#include <sys/types.h>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace redoubt::cli {

struct Daemon {
  std::string name;  // "redoubtd"
  std::string home;

  std::string pid_path() const { return home + "/run/" + name + ".pid"; }
  std::string log_path() const { return home + "/log/" + name + ".log"; }
};

// The process of the pid file if it still runs.
std::optional<pid_t> running(const Daemon& daemon);
// Starts command[0] with the rest as arguments; output is appended to the log. An error if it cannot be executed.
Result<pid_t> start(const Daemon& daemon, const std::vector<std::string>& command);

enum class Stopped { was_not_running, at_request, killed };
// SIGTERM, ten seconds, SIGKILL; the pid file goes.
Result<Stopped> stop(const Daemon& daemon);

// The log's end, for the message why a program did not come up.
std::string last_lines(const Daemon& daemon, size_t lines);

// Runs a program to its end; its standard output, or an error with its standard error.
Result<std::string> run_to_end(const std::vector<std::string>& command);

}  // namespace redoubt::cli
