// The agent's verbs, one function each; main() parses the command line and calls one of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "environment_choice.h"

namespace redoubt::agent {

struct EnrollOptions {
  enum class IfEnrolled { refuse, replace };
  std::string data_directory;
  std::string server;
  std::string fingerprint;
  std::string token_file;
  std::string proxy_file;  // holds "http://[user:password@]host:port"; empty: no proxy
  IfEnrolled if_enrolled = IfEnrolled::refuse;
};
// Gets this host an identity. Replacing one forgets what was spooled under it.
Status enroll(const EnrollOptions& options);

struct RunOptions {
  std::string data_directory;
  std::string proxy_file;
  int64_t spool_bytes_max = 0;
  int64_t spool_age_us_max = 0;
  std::vector<int> quiet_pids;
  int cpu_budget_percent = 20;  // of one core; 0: no limit
  // Variables of the environment that a start tells, as environment_names() takes them.
  std::vector<std::string> environment_names = {std::string(kUsualNames)};
  enum class ForkEvents { none, all };
  ForkEvents fork_events = ForkEvents::none;  // of processes that are made without a program of their own
};
// Watches this host until SIGTERM or SIGINT.
Status run(const RunOptions& options);

enum class Output { text, json };
// Prints what the running agent last wrote about itself; unavailable where none runs.
Status print_status(const std::string& data_directory, Output output);

}  // namespace redoubt::agent
