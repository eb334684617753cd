// The node's own clamd: writes its configuration, starts it as an ordinary user, waits until it answers, starts it
// again with a pause when it ends, stops it by its process id. Any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"

namespace redoubt::scan {

struct ClamdOptions {
  std::string program = "clamd";   // a path, or a name that PATH knows
  std::string database_directory;  // *.cvd, *.cld, *.hdb, *.ndb, …
  std::string work_directory;      // made if absent: configuration, socket, scratch files
  std::string user = "clamav";     // when the node runs as root; nobody where there is no such user
  unsigned threads = 4;
  uint64_t object_bytes_max = uint64_t{512} << 20;
  uint64_t scan_bytes_max = uint64_t{1} << 30;  // of one object with all that is in it
  unsigned recursion_max = 17;
  int64_t object_time_ms_max = 30'000;
};

class ClamdProcess {
 public:
  enum class State { no_signatures, starting, ready, failed };

  virtual ~ClamdProcess() = default;
  virtual State state() const = 0;
  // "ready", "no signatures", "starting", or why it does not run, for people.
  virtual std::string describe() const = 0;
  virtual const std::string& socket_path() const = 0;
  // Takes new signatures; starts clamd where there were none before.
  virtual Status reload() = 0;
  // Ends clamd and joins.
  virtual void stop() = 0;
};

// Returns at once: clamd reads its signatures for seconds to minutes. An error only for a folder or file that cannot be
// made; a clamd that does not run is a state.
Result<std::unique_ptr<ClamdProcess>> start_clamd(const ClamdOptions& options);

}  // namespace redoubt::scan
